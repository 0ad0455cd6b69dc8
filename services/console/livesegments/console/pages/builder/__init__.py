"""Writing segments: the builder, the gallery of ready-made ones, and one segment for every value of an
attribute.

`/segments/new` comes before `/segments/{id}`.
"""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.builder import by_attribute, editing, gallery

PAGES = (
    Page(path=paths.NEW_SEGMENT, title="New segment", build=editing.new, needs="write", under=paths.SEGMENTS),
    Page(
        path=f"{paths.SEGMENTS}/{{id}}/edit",
        title="Edit segment",
        build=editing.edit,
        needs="write",
        under=paths.SEGMENTS,
    ),
    Page(
        path=paths.GALLERY,
        title="Gallery",
        build=gallery.build,
        needs="write",
        entry="Gallery",
        icon="auto_awesome",
    ),
    Page(
        path=paths.BY_ATTRIBUTE,
        title="A segment for every value",
        build=by_attribute.build,
        needs="write",
        under=paths.GALLERY,
    ),
)
