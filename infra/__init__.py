"""What people run: registration, events, building, and the local stack."""
