"""A catalog's columns -> charts: a Plotly figure and its table each, which say what they count."""
