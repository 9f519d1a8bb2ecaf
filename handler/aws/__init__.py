"""AWS's side: its clients, the seam to DynamoDB, SQS and SSM, and the events that invoke the functions."""
