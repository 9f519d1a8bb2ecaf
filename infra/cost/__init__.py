"""What the reconciler costs: calls are measured on the simulated Discord; time and money are calculated from them."""
