"""What opening a session takes, beside the floor and beside what people use instead: `make bench`, `make bench-cold`."""
