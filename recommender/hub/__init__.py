"""A store on the Hub, there and back."""
