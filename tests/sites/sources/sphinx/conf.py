"""A small project in Sphinx with the theme furo."""

project = "Small reference"
html_theme = "furo"
html_favicon = "icon.svg"
html_copy_source = False
html_last_updated_fmt = None
