"""What is run by hand or by make, and shipped with nothing."""
