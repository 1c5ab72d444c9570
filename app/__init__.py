"""The faces of Takeprint: command line and reports."""
