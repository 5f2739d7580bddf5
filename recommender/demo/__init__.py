"""The drawn catalog that the app serves first: an archive in the layout of Kaggle's."""
