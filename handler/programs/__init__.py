"""What programs ask for: the requests and answers of `ApiFunction`, and the operations between them."""
