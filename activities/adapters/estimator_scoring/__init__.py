"""Has a scikit-learn estimator answer rows, in a process of its own that can reach nothing."""
