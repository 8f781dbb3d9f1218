"""What the operator announces to all customers, and which of it a customer has put away."""
