"""What the reconciler costs: calls measured on the simulated Discord, time and money reckoned from them."""
