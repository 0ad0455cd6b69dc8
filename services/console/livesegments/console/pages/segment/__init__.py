"""A segment's page, a tab for each thing that one comes for."""

from livesegments.console.page import Page
from livesegments.console.pages.segment import members, overview, tests, uses, versions

_UNDER = "/segments"

PAGES = (
    Page(path="/segments/{id}", title="Segment", build=overview.build, under=_UNDER),
    Page(path="/segments/{id}/members", title="Members", build=members.build, under=_UNDER),
    Page(path="/segments/{id}/versions", title="Versions", build=versions.build, under=_UNDER),
    Page(path="/segments/{id}/tests", title="Tests", build=tests.build, under=_UNDER),
    Page(path="/segments/{id}/uses", title="Uses", build=uses.build, under=_UNDER),
)
