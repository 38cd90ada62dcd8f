"""Applications: which there are, and what one of them offers."""

import asyncio
from typing import Any

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, join_path
from hansa.console.describing import Described, describe, describe_all, is_civic
from hansa.console.pages.steps import is_about_record
from hansa.console.routing import page
from hansa.console.visit import Visit


@page("GET", "/apps")
async def list_applications(visit: Visit) -> Answer:
    """Every application and system contract of the league."""
    found = await describe_all(visit)
    return visit.render(
        "applications/index.html",
        civic=[each for each in found if is_civic(each)],
        system=[each for each in found if not is_civic(each)],
    )


@page("GET", "/apps/{app}")
async def show_application(visit: Visit) -> Answer:
    """What one may do and see in an application."""
    about = await describe(visit, visit.parts["app"])
    tables = await asyncio.gather(*(_count(visit, about, name) for name in about.tables))
    covered = {each["record"] for each in about.tables.values()}
    held = {each["role"] for each in (visit.session or {}).get("roles", ())}
    return visit.render(
        "applications/overview.html",
        about=about,
        tables=dict(zip(about.tables, tables, strict=True)),
        kinds=[kind for kind in about.records if kind not in covered],
        begin=[name for name in about.sendable if not is_about_record(about.message(name))],
        steps=[name for name in about.sendable if is_about_record(about.message(name))],
        governed=[name for name in about.governed if name not in about.sendable],
        held=held,
        roles=about.raw["roles"],
    )


async def _count(visit: Visit, about: Described, name: str) -> dict[str, Any] | None:
    """Rows and totals of a table as this visitor sees them, None when it is not for them."""
    try:
        found = await visit.api.get(join_path("v1", "apps", about.name, "tables", name, "totals"))
    except ApiProblem as problem:
        if problem.status not in (401, 403, 404):
            raise
        return None
    return {"count": sum(each["count"] for each in found["items"])}
