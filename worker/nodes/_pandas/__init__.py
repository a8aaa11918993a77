"""The operations of the node kind `Pandas`, a file for each group of them."""
