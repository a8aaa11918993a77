"""Node kinds, one file each; `registry` finds them."""
