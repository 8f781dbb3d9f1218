"""Problems with orders: what a customer says of one, what staff answer, and how it was resolved."""
