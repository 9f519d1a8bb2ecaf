"""A state machine of AWS Step Functions that waits for a person."""
