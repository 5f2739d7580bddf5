"""What draws it: kinds of items, planned, cut from cloth and photographed."""
