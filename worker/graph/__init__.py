"""The graph: what a file may say, the plan it becomes, and how a plan runs."""
