"""The Gradio page and its API: `app.build_app(recommender) -> gr.Blocks`, one file a tab."""
