"""Files as they come: their encoding, their form, and what is in them."""
