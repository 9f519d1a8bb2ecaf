"""What people run beside the functions. docs/architecture.md has the map."""
