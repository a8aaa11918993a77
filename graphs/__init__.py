"""The example graphs, a folder each; `python -m graphs` makes their models and samples anew."""
