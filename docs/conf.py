"""How the site is built: `python -m sphinx -W -b html docs build/site`."""

import logging

import penglm

# A note that kernels are being compiled would land in the gallery.
logging.getLogger("penglm").setLevel(logging.ERROR)

project = "penglm"
author = "The penglm developers"
copyright = author
version = release = penglm.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
root_doc = "index"
templates_path = ["_templates"]
exclude_patterns = ["README.md", "gallery/README.txt", "_templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autosummary_generate = True
autodoc_typehints = "none"
autoclass_content = "class"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["pictures"],
    "filename_pattern": r".*\.py",
    "download_all_examples": False,
    "show_signature": False,
    "capture_repr": (),
    "min_reported_time": 1e9,
}

html_theme = "pydata_sphinx_theme"
html_title = "penglm"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
# Pages without pages below them have nothing to show beside them.
ALONE = ("tutorial", "theory", "formula", "objective", "limitations", "changelog")
html_sidebars = {page: [] for page in ALONE}
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": False,
    "navigation_with_keys": False,
    "logo": {"text": "penglm"},
}


def is_of_scikit_learn(app, what, name, obj, skip, options):
    """Leave out what scikit-learn's classes bring along: its own pages say it."""
    home = getattr(obj, "__module__", None) or ""
    return True if home.startswith("sklearn.") else None


def setup(app):
    """Register the hook."""
    app.connect("autodoc-skip-member", is_of_scikit_learn)
