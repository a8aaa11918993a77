"""`rtml tune`: what a graph costs on this machine, and the settings that follow."""
