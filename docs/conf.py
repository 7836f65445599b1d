"""How the site is made of docs/: `make docs`. Nothing of the built pages is fetched from a network."""

from __future__ import annotations

import sys
from pathlib import Path

import layerstats

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "layerstats"
author = "The layerstats developers"
copyright = "The layerstats developers. GPL-3.0-or-later"
version = release = layerstats.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_design",
    "sphinx_copybutton",
    # Of docs/extensions.
    "calibration_pages",
    "card_pages",
    "command_pages",
    "gallery_pages",
    "reference_pages",
]
exclude_patterns = ["_build"]

# Pages are Markdown that reads well without being built too.
myst_enable_extensions = ["colon_fence", "deflist", "attrs_block"]
myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
default_role = "py:obj"
add_module_names = False
toc_object_entries_show_parents = "hide"
napoleon_google_docstring = False
# Fields of results are a list, as parameters are.
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_use_rtype = False
# What stands in the place of types are shapes and columns, whose words are no links.
napoleon_use_param = False

# Blocks that say no language are of the shell, or what a command prints.
highlight_language = "none"
pygments_style = "friendly"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = f"layerstats {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = True
html_copy_source = True
html_show_sphinx = False
# Summaries would be fetched page by page, which browsers refuse to pages that are read from disk.
html_show_search_summary = False
html_context = {"default_mode": "light"}
# Pages without others beside them have no use for a list of them, and wide tables need its room more.
html_sidebars = {name: [] for name in ("index", "architecture", "store-format", "start/*", "statistics/*")}
html_theme_options = {
    "logo": {"text": "layerstats"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_toc_level": 2,
    "navigation_with_keys": True,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc", "sourcelink"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
