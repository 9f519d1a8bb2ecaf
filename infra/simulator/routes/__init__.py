"""What Discord answers, one module for each resource."""
