"""How far the evaluators are."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.health import lag

PAGES = (Page(path=paths.HEALTH, title="Health", build=lag.build, entry="Health", icon="monitor_heart"),)
