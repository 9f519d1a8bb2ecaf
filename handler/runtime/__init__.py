"""What every part of the program runs on: time, deadlines, concurrency, secrets and telemetry. It knows nothing of sessions."""
