"""Each alarm of the template goes off when its failure happens, and no other one does.

What the functions log is read as CloudWatch reads it. What AWS itself measures, `tests.kit.running` derives from what
happened. A failure that lasts goes on to have others; each lasts here as long as its own alarm needs.
"""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import pytest

from handler import webhook
from handler.commands.command import OPEN_SESSION
from handler.commands.registry import COMMANDS
from handler.config import ReconcilerConfig, WebhookConfig
from handler.reconciler import encode
from infra.lambda_events import api_gateway_event
from infra.local.recursion import enter
from infra.simulator.exchange import Response
from infra.simulator.faults import error, server_error
from infra.simulator.refusals import too_many_requests
from infra.virtual_time import START
from tests.kit.aws_faults import What
from tests.kit.cloudwatch import Metrics
from tests.kit.running import FUNCTIONS, RunningDeployment, alarms_of
from tests.kit.table_view import GUILD

Failure = Callable[[RunningDeployment], Coroutine[Any, Any, None]]

EDIT: Final = "/webhooks/{application_id}/{token}/messages/@original"
ACTIVE_THREADS: Final = "/guilds/{guild_id}/threads/active"
OPERATIONS: Final = ("BatchGetItem", "GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem")
NO_TIME_LEFT: Final = 2.5  # seconds after which a request goes straight to the worker
OURS: Final = {"Stack", "Function", "Outcome", "Status", "Service", "Action", "Type"}
MEASURED: Final = ("AnswerMilliseconds", "JobAge")
FAILURES: Final[list[tuple[str, Failure]]] = []


def sets_off(alarm: str) -> Callable[[Failure], Failure]:
    """The failure sets off that alarm, and no other."""

    def note(failure: Failure) -> Failure:
        FAILURES.append((alarm, failure))
        return failure

    return note


def always(deployed: RunningDeployment, what: Response, method: str = "*", route: str = "*") -> None:
    deployed.discord.faults.inject(method, route, what, times=10_000)


# What people notice.


@sets_off("SlowAnswersAlarm")
async def functions_start_slowly(deployed: RunningDeployment) -> None:
    await deployed.operate(10, partial(deployed.ask, old=2.75))


@sets_off("NotHandedOverAlarm")
async def the_queue_of_jobs_is_out(deployed: RunningDeployment) -> None:
    deployed.queue.faults += ["500"] * 6
    for _ in range(3):
        await deployed.ask(old=NO_TIME_LEFT)
    await deployed.operate(1)


@sets_off("UntoldAlarm")
async def answers_come_when_their_tokens_are_dead(deployed: RunningDeployment) -> None:
    always(deployed, error(401, 50027, "Invalid Webhook Token"), "PATCH", EDIT)
    for _ in range(5):
        await deployed.ask(old=NO_TIME_LEFT)
    await deployed.operate(1)


@sets_off("ServerErrorsAlarm")
async def the_endpoint_may_not_invoke_the_webhook(deployed: RunningDeployment) -> None:
    deployed.running.remove("endpoint")
    await deployed.operate(5, deployed.ask)


@sets_off("JobsQueueAgeAlarm")
async def nothing_takes_jobs(deployed: RunningDeployment) -> None:
    deployed.running.remove("WorkerFunction")
    await deployed.ask(old=NO_TIME_LEFT)
    await deployed.operate(7)


@sets_off("JobsDeadLettersAlarm")
async def a_job_cannot_be_read(deployed: RunningDeployment) -> None:
    await deployed.ask(old=NO_TIME_LEFT)
    (message,) = deployed.queue.waiting
    message.text = "{}"
    await deployed.operate(6)


# What the bot depends on.


@sets_off("DiscordOutAlarm")
async def discord_is_out(deployed: RunningDeployment) -> None:
    always(deployed, server_error(503))
    await deployed.operate(12, deployed.ensure)


@sets_off("TokenRefusedAlarm")
async def the_token_was_reset(deployed: RunningDeployment) -> None:
    always(deployed, error(401, 0, "401: Unauthorized"))
    await deployed.operate(6, deployed.ask)


@sets_off("BanNearAlarm")
async def a_program_goes_on_where_the_bot_may_not_post(deployed: RunningDeployment) -> None:
    always(deployed, error(403, 50013, "Missing Permissions"), "POST")
    deployed.environments = 500
    for number in range(11):
        assert "error" in await deployed.ensure(session_name=f"new-{number}")
    deployed.environments = 1
    await deployed.operate(1)


@sets_off("TableOutAlarm")
async def the_table_is_throttled(deployed: RunningDeployment) -> None:
    throttled: list[What] = ["throttled"] * 100
    for operation in OPERATIONS:
        deployed.wire.fail(operation, *throttled)
    await deployed.operate(12, deployed.ask)


@sets_off("OperatorFaultsAlarm")
async def a_permission_is_missing(deployed: RunningDeployment) -> None:
    deployed.wire.fail("Query", "access_denied")
    await deployed.operate(5)


# The functions.


@sets_off("FaultsAlarm")
async def a_command_has_a_bug(deployed: RunningDeployment) -> None:
    async def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    deployed.commands = {**COMMANDS, OPEN_SESSION: broken}
    deployed.restart()
    await deployed.operate(1, deployed.ask)


def misconfigured(function: str) -> Failure:
    async def misconfigure(deployed: RunningDeployment) -> None:
        deployed.misconfigure(function)
        await deployed.operate(1)

    return misconfigure


for name in FUNCTIONS:
    sets_off(name.replace("Function", "ErrorsAlarm"))(misconfigured(name))


def refused(function: str) -> Failure:
    async def refuse(deployed: RunningDeployment) -> None:
        deployed.refuse(function)
        await deployed.operate(1)

    return refuse


for name in FUNCTIONS:
    sets_off("ThrottlesAlarm")(refused(name))


@sets_off("ConcurrencyAlarm")
async def the_account_runs_much_else(deployed: RunningDeployment) -> None:
    deployed.elsewhere = 80
    await deployed.operate(3)


@sets_off("RecursionAlarm")
async def lambda_takes_a_long_job_for_a_loop(deployed: RunningDeployment) -> None:
    deployed.running.remove("RecursiveLoop")
    await deployed.ask(old=NO_TIME_LEFT)
    (message,) = deployed.queue.waiting
    for _ in range(16):
        _, message.trace = enter({"Records": [{"attributes": {"AWSTraceHeader": message.trace}}]}, "WorkerFunction")
    await deployed.operate(1)


@sets_off("ForgedRequestsAlarm")
async def somebody_floods_the_endpoint(deployed: RunningDeployment) -> None:
    deployed.environments = 20
    for _ in range(12):
        for _ in range(3):
            await forged(deployed)
        await deployed.wait(seconds=10)
    deployed.environments = 1
    await deployed.operate(1)


async def forged(deployed: RunningDeployment) -> None:
    event = api_gateway_event(b"{}", {"x-signature-ed25519": "00" * 64, "x-signature-timestamp": "1"}, now=deployed.now)
    answer = await webhook.handle(deployed.environment(WebhookConfig), event, "request", 10.0)
    assert answer["statusCode"] == 401


# The reconciler.


@sets_off("ReconcilerSilentAlarm")
async def the_schedule_is_off(deployed: RunningDeployment) -> None:
    deployed.running.remove("tick")
    await deployed.operate(15)


@sets_off("ReconcilerLateAlarm")
async def runs_begin_late(deployed: RunningDeployment) -> None:
    deployed.running.remove("ReconcilerFunction")
    await deployed.operate(31)
    deployed.running.add("ReconcilerFunction")
    await deployed.operate(1)


@sets_off("ReconcilerFailingAlarm")
async def runs_meet_a_rate_limit(deployed: RunningDeployment) -> None:
    always(deployed, too_many_requests(1.0), "GET", ACTIVE_THREADS)
    await deployed.operate(14)


@sets_off("HeldDeletionsAlarm")
async def many_threads_are_gone_at_once(deployed: RunningDeployment) -> None:
    for number in range(6):
        await deployed.ensure(session_name=f"gone-{number}")
    await deployed.operate(5)
    for thread in list(deployed.discord.threads)[-6:]:
        deployed.people.delete_thread(thread)
    await deployed.operate(6)


@sets_off("ReconcileQueueAgeAlarm")
async def nothing_takes_the_guilds(deployed: RunningDeployment) -> None:
    deployed.running.remove("ReconcilerFunction")
    await deployed.operate(62)


@sets_off("ReconcileDeadLettersAlarm")
async def messages_are_of_a_version_that_the_reconciler_does_not_know(deployed: RunningDeployment) -> None:
    queue = deployed.environment(ReconcilerConfig).reconcile_queue
    for _ in range(3):
        await deployed.operate(5)
        await queue.send(encode(GUILD).replace('"version":1', '"version":2'), group=GUILD)
        await deployed.operate(50)


# Events for programs.


@sets_off("PublisherLateAlarm")
async def the_bus_is_out(deployed: RunningDeployment) -> None:
    deployed.bus.faults += ["500"] * 100
    await deployed.ensure(session_name="unheard")
    await deployed.operate(11)


@sets_off("PublisherDeadLettersAlarm")
async def an_item_was_edited_by_hand(deployed: RunningDeployment) -> None:
    deployed.table.put(deployed.table.item(), status="odd")
    await deployed.operate(1)


def test_a_failure_is_here_for_each_alarm() -> None:
    assert {alarm for alarm, _ in FAILURES} == set(alarms_of("onethread"))
    assert len(FAILURES) == 33


@pytest.mark.parametrize(("alarm", "failure"), FAILURES, ids=[alarm for alarm, _ in FAILURES])
def test_a_failure_sets_off_its_alarm_and_no_other(alarm: str, failure: Failure) -> None:
    with RunningDeployment(imported=True) as deployed:
        deployed.run(happens(deployed, failure))
        assert deployed.gone_off() == {alarm}


async def happens(deployed: RunningDeployment, failure: Failure) -> None:
    """First, all is well."""
    await deployed.ensure()
    await deployed.operate(10)
    assert not deployed.gone_off()
    await failure(deployed)


def operated(scenario: Failure, *, stack: str = "onethread", **options: Any) -> RunningDeployment:
    """A deployment to which this has happened."""
    with RunningDeployment(stack, imported=True, **options) as deployed:
        deployed.run(scenario(deployed))
    return deployed


def test_an_outage_of_discord_that_people_meet_has_dead_letters_too() -> None:
    async def scenario(deployed: RunningDeployment) -> None:
        await deployed.ensure()
        await deployed.operate(10)
        always(deployed, server_error(503))
        await deployed.operate(12, deployed.ask)

    assert operated(scenario).gone_off() == {"DiscordOutAlarm", "JobsDeadLettersAlarm"}


def test_a_token_parameter_that_is_missing_is_the_operators_fault_and_no_refusal_by_discord() -> None:
    async def scenario(deployed: RunningDeployment) -> None:
        deployed.ssm.faults += ["ParameterNotFound"] * 100
        await deployed.operate(11, deployed.ensure)

    assert operated(scenario, parameter=True).gone_off() == {"OperatorFaultsAlarm"}


def test_an_idle_hour_sets_off_nothing_and_writes_ten_metrics() -> None:
    async def scenario(deployed: RunningDeployment) -> None:
        await deployed.ensure()
        await deployed.operate(10)
        deployed.metrics = Metrics(ConcurrentExecutions=100)
        await deployed.operate(60)

    deployed = operated(scenario)
    assert deployed.gone_off() == set()
    ours = {key for key in deployed.metrics.written() if key[0] == "Onethread"}
    assert len(ours) == 10  # as docs/operations.md says, with what they cost


def test_two_stacks_share_no_metric_and_the_failure_of_one_sets_off_no_alarm_of_the_other() -> None:
    async def scenario(deployed: RunningDeployment) -> None:
        await happens(deployed, discord_is_out)
        await somebody_floods_the_endpoint(deployed)
        await a_command_has_a_bug(deployed)

    one, other = (operated(scenario, stack=stack) for stack in ("prod", "dev"))
    of_account = {("AWS/Lambda", "ClaimedAccountConcurrency"), ("AWS/Lambda", "ConcurrentExecutions")}
    shared = one.metrics.written() & other.metrics.written()
    assert {key[:2] for key in shared} == of_account
    assert len(one.metrics.written()) == len(other.metrics.written()) > 30
    assert one.gone_off() >= {"DiscordOutAlarm", "FaultsAlarm", "ForgedRequestsAlarm"}
    quiet = {name: alarm for name, alarm in alarms_of("dev").items() if name != "ReconcilerSilentAlarm"}
    assert one.metrics.gone_off(quiet, START, one.until) == set()


def test_no_dimension_holds_a_name_or_an_id() -> None:
    async def scenario(deployed: RunningDeployment) -> None:
        await happens(deployed, many_threads_are_gone_at_once)
        await deployed.operate(6, deployed.ask)
        await a_program_goes_on_where_the_bot_may_not_post(deployed)

    found = {part for _, _, dimensions in operated(scenario).metrics.written() for part in dimensions}
    values = {name: {value for other, value in found if other == name} for name, _ in found}
    assert values.keys() <= {*OURS, "FunctionName", "QueueName"}
    assert values["Function"] == {"webhook", "api", "reconciler", "publisher"}
    assert all(len(status) == 3 for status in values["Status"] - {"none"})
    assert all(value.isalpha() for name in ("Action", "Type", "Service") for value in values[name])
    assert all(value.replace("_", "").isalpha() for value in values["Outcome"])


def test_a_wait_is_measured_from_where_it_begins() -> None:
    async def scenario(deployed: RunningDeployment) -> None:
        deployed.running.remove("WorkerFunction")
        await deployed.ask(old=NO_TIME_LEFT)
        await deployed.operate(2)
        deployed.running.add("WorkerFunction")
        await deployed.operate(1)

    measured = {name: line[name] for line in operated(scenario).lines for name in MEASURED if name in line}
    assert measured == {"AnswerMilliseconds": [2500.0], "JobAge": [122.5]}


def test_refused_requests_are_counted_and_not_logged_one_by_one() -> None:
    deployed = operated(somebody_floods_the_endpoint)
    lines = [line for line in deployed.lines if line.get("function") == "webhook"]
    assert len(lines) == 12  # of 36 requests within two minutes
    assert {line["outcome"] for line in lines} == {"refused"}
    assert sum(line["refused"] for line in lines) >= 34
    assert {line["http_status"] for line in lines} == {401}
