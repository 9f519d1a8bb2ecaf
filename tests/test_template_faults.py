"""The template against its checks, a run of all functions held to their roles, and faults planted in it.

Each permission is needed in the run, and each that is needed is there; each planted fault is caught by the check it names.
"""

import functools
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from infra.local.iam import Need, allows, listed
from tests.kit.held_to_roles import HeldToRoles, deployed_roles
from tests.kit.sam_template import template
from tests.kit.table_view import CHANNEL
from tests.kit.translation import GOLDEN, deployed, golden, translated
from tests.template_checks import CHECKS, View
from tests.template_faults import FAULTS, Patch


async def live(case: HeldToRoles) -> None:
    """A bit of everything, by every function."""
    newest = case.clock.now() - timedelta(hours=2)
    people = case.discord.people
    people.add_archived_threads(CHANNEL, 150, newest=newest, name_of=lambda n: f"Session {n // 2}")
    listed = await case.administer("duplicates")
    await case.work()
    await case.press(listed)
    await case.work()
    people.add_archived_threads(CHANNEL, 400, newest=newest - timedelta(days=1))
    case.latency = 3.0
    case.restart()
    await case.administer("import")  # takes several turns
    await case.work()
    await case.administer("status")  # by the worker
    await case.work()
    case.latency = 0.0
    case.restart()
    await case.administer("status")
    await case.use("session open", options={"name": "new"})
    await case.use("session list")
    await case.use("session close", options={"name": "new"})
    made = await case.ensure(session_name="made")
    await case.program("list")
    await case.program("post", session_name="made", request_id="p", content="hello")
    callback = {"task_token": case.tasks.tasks.begin()}
    withdrawn = await case.program("ask", session_name="made", request_id="w", question="?", callback=callback)
    await case.invoke({"operation": "cancel", "question_id": withdrawn["question"]["id"]})
    callback = {"task_token": case.tasks.tasks.begin()}
    choices = [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]
    asked = await case.program(
        "ask", session_name="made", request_id="q", question="Go?", choices=choices, callback=callback
    )
    await case.press_card(asked["question"]["message_id"], "Yes", channel_id=made["thread"]["id"])
    case.people.rename(made["thread"]["id"], "Session 7")
    await case.clock.sleep(3600)
    for _ in range(3):
        await case.tick()
        while case.guilds.visible():
            await case.receive_guilds()
        await case.clock.sleep(3600)
    await case.work()
    await case.publish(most=1000)


@functools.cache
def needed() -> Mapping[str, frozenset[Need]]:
    """What the functions needed in a run in which nothing was refused."""
    with HeldToRoles(deployed_roles(), table="client", imported=False) as case:
        case.run(live(case))
        return {name: frozenset(needs) for name, needs in case.needed.items()}


def grants() -> Iterator[tuple[str, dict[str, Any]]]:
    """The template without one action on one resource, for each that a function's role allows, with what is lost."""
    roles = deployed_roles()
    names = dict.fromkeys(name for function in roles.functions() for name, _ in roles.policies(roles.role_of(function)))
    for name in names:
        properties = template()["Resources"][name]["Properties"]
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())] or [
            properties["PolicyDocument"]
        ]
        for number, statement in enumerate(documents[0]["Statement"]):
            granted = statement["Fn::If"][1] if "Fn::If" in statement else statement
            for action, resource in itertools.product(listed(granted["Action"]), listed(granted["Resource"])):
                yield (
                    f"{name} {granted['Sid']} {action} {json.dumps(resource)[-40:]}",
                    without(name, number, action, resource),
                )


def without(name: str, number: int, action: str, resource: Any) -> dict[str, Any]:
    changed = template()
    properties = changed["Resources"][name]["Properties"]
    document = properties["Policies"][0]["PolicyDocument"] if "Policies" in properties else properties["PolicyDocument"]
    statement = document["Statement"].pop(number)
    granted = statement["Fn::If"][1] if "Fn::If" in statement else statement
    for some, others in itertools.product(listed(granted["Action"]), listed(granted["Resource"])):
        if (some, others) != (action, resource):
            document["Statement"].append({**granted, "Action": some, "Resource": others})
    return changed


def refused(document: Mapping[str, Any]) -> list[tuple[str, Need]]:
    """What the functions needed in the run and these roles do not allow."""
    roles = deployed_roles(document)
    found = ((name, roles.refuse(name, sorted(needs, key=str))) for name, needs in needed().items())
    return [(name, need) for name, need in found if need is not None]


def test_each_function_needs_something() -> None:
    assert {len(needs) > 5 for needs in needed().values()} == {True}


def test_a_run_fails_without_any_single_permission_so_none_is_too_few_and_none_too_many() -> None:
    found = {lost: refused(document) for lost, document in grants()}
    assert [lost for lost, fails in found.items() if not fails] == []
    assert len(found) >= 38


def test_a_function_is_told_when_its_role_does_not_allow_a_request() -> None:
    document = next(changed for lost, changed in grants() if "dynamodb:GetItem" in lost)
    with HeldToRoles(deployed_roles(document), table="client") as case:
        answer = case.run(case.ensure())
    assert answer["error"]["kind"] == "store_unavailable"


def test_a_role_that_lambda_cannot_assume_allows_nothing() -> None:
    document = template()
    trust = document["Resources"]["ApiRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    trust["Principal"] = {"Service": "ec2.amazonaws.com"}
    assert [name for name, _ in refused(document)] == ["ApiFunction"]


def idle(document: Mapping[str, Any]) -> list[str]:
    """What these roles allow and no function of theirs needed."""
    roles, used = deployed_roles(document), set[str]()
    granted: set[str] = set()
    for function in roles.functions():
        for name, policy in roles.policies(roles.role_of(function)):
            for statement in roles.evaluate(policy["Statement"]):
                for action, resource in itertools.product(listed(statement["Action"]), listed(statement["Resource"])):
                    granted.add(grant := f"{name} {action} {resource}")
                    alone = {**statement, "Action": action, "Resource": resource}
                    used |= {grant for need in needed()[function] if allows([alone], need)}
    return sorted(granted - used)


def each_function_may_do_what_it_does(view: View) -> None:
    assert refused(view.document) == []


def each_permission_is_needed(view: View) -> None:
    assert idle(view.document) == []


PERMISSIONS = (each_function_may_do_what_it_does, each_permission_is_needed)
ALL = {**CHECKS, **{check.__name__: check for check in PERMISSIONS}}


@functools.cache
def view() -> View:
    return View(template())


@pytest.mark.parametrize("name", ALL)
def test_the_template_passes_the_check(name: str) -> None:
    ALL[name](view())


def test_the_quick_translation_is_the_whole_one() -> None:
    assert view().translation == translated()


@pytest.mark.parametrize(("fault", "patch", "check"), FAULTS, ids=[text for text, _, _ in FAULTS])
def test_a_planted_fault_is_caught_by_its_check(fault: str, patch: Patch, check: str) -> None:
    document = template()
    patch(document)
    with pytest.raises((AssertionError, KeyError)):
        ALL[check](View(document))


def test_there_are_a_hundred_faults_and_each_check_catches_some() -> None:
    assert len(FAULTS) >= 100
    assert {check for _, _, check in FAULTS} == set(ALL)


def test_a_table_that_exists_takes_the_place_of_the_stacks_own_everywhere() -> None:
    label = "2026-11-29T12:00:00.000"
    resources = deployed(SessionsTableName="restored", SessionsTableStreamLabel=label)
    assert "SessionsTable" not in resources
    assert not [name for name, resource in resources.items() if '"SessionsTable' in json.dumps(resource)]
    roles = deployed_roles(SessionsTableName="restored", SessionsTableStreamLabel=label).statements
    tables = set(re.findall(r"table/[^'/]*", str(roles)))
    assert tables == {"table/restored"}
    stream = resources["PublisherFunctionChanges"]["Properties"]["EventSourceArn"]
    assert stream == f"arn:aws:dynamodb:us-east-1:123456789012:table/restored/stream/{label}"


def test_the_golden_translation_is_the_templates() -> None:
    assert GOLDEN.read_text(encoding="utf-8") == golden(), "look at the difference, then run `make golden`"
