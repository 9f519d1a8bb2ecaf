"""The local stack's values come from template.yaml."""

from infra.local.template import QueueSource, Template
from tests.kit import sam_template

QUEUES = {"JobsQueue", "JobsDeadLetters", "ReconcileQueue", "ReconcileDeadLetters", "PublisherDeadLetters"}
VALUES = {
    **Template().parameters(),
    **sam_template.ANSWERS,
    "SessionsTable": "the-table",
    "EventBus": "the-bus",
    **{name: f"http://127.0.0.1/{name}" for name in QUEUES},
}


def test_each_function_gets_exactly_the_variables_that_the_template_gives_it() -> None:
    functions = Template().functions(VALUES, {})
    runtime = {"AWS_ACCESS_KEY_ID", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "_HANDLER"}

    assert set(functions) == {f"{name}Function" for name in ("Webhook", "Worker", "Api", "Reconciler", "Publisher")}
    for name, function in functions.items():
        assert set(function.variables) - runtime == set(sam_template.environment_of(name)), name


def test_variables_have_this_stacks_values_and_the_parameters_defaults() -> None:
    variables = Template().functions(VALUES, {"AWS_REGION": "us-east-1"})["WebhookFunction"].variables

    assert variables["SESSIONS_TABLE"] == "the-table"
    assert variables["JOBS_QUEUE_URL"] == "http://127.0.0.1/JobsQueue"
    assert variables["SESSION_NAME_PREFIX"] == "Session "
    assert variables["AUTO_ARCHIVE_MINUTES"] == "4320"
    assert variables["AWS_REGION"] == "us-east-1"


def test_handlers_and_time_outs_are_the_templates() -> None:
    functions = Template().functions(VALUES, {})
    properties = sam_template.template()["Resources"]
    for name, function in functions.items():
        assert function.handler == properties[name]["Properties"]["Handler"]
        assert function.timeout == properties[name]["Properties"]["Timeout"]


def test_queues_have_their_attributes_and_dead_letters() -> None:
    template = Template()
    declared = sam_template.template()["Resources"]["JobsQueue"]["Properties"]

    assert set(template.queues()) == QUEUES
    assert template.queues()["JobsQueue"] == {
        "VisibilityTimeout": str(declared["VisibilityTimeout"]),
        "MessageRetentionPeriod": str(declared["MessageRetentionPeriod"]),
    }
    assert template.dead_letters()["JobsQueue"] == ("JobsDeadLetters", declared["RedrivePolicy"]["maxReceiveCount"])


def test_queues_invoke_their_functions_as_the_template_says() -> None:
    declared = sam_template.template()["Resources"]["WorkerFunction"]["Properties"]["Events"]["Jobs"]["Properties"]
    sources = {source.queue: source for source in Template().queue_sources({**VALUES, "WorkerConcurrency": "7"})}

    assert set(sources) == {"JobsQueue", "ReconcileQueue"}
    assert sources["JobsQueue"] == QueueSource("JobsQueue", "WorkerFunction", declared["BatchSize"], True, 7)
