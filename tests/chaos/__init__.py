"""Faults over all processes and things, while the venues write down what they sent; then whether each promise was kept."""
