"""A request -> JSON; every sentence for a visitor; no Gradio."""
