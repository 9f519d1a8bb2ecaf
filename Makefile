# Onethread: everything that people and CI do, by name. `make help` lists it.
#
# The virtual environment lives outside the tree: `sam build` copies the tree for each function, and would copy it too.

.DEFAULT_GOAL := help

# The first interpreter that really runs: a version switcher's shim may be there and still refuse.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo "$$python" && break; done)
# Paths may have spaces and quotes in them, so whatever the shell reads is quoted or escaped.
quote = '$(subst ','\'',$(1))'
VENV ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/onethread/venv-$(shell printf %s $(call quote,$(CURDIR)) | cksum | cut -d' ' -f1)
ESCAPED_VENV := $(shell printf %s $(call quote,$(VENV)) | sed 's/[^[:alnum:]_./-]/\\&/g')
BIN := $(ESCAPED_VENV)/bin
ARGS ?=

# Neither tool has any business on the network here: one would report usage, the other would look for an account.
export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true

# The AWS CLI and Lambda go by AWS_REGION, sam and boto3 know the other name only.
ifneq ($(AWS_REGION),)
export AWS_DEFAULT_REGION := $(AWS_REGION)
endif

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' Makefile

.PHONY: run
run: installed ## start the whole of Onethread on this machine and play the tour
	@$(BIN)/python -m infra.local $(ARGS)

.PHONY: ask
ask: installed ## use the running local stack: ARGS="open 1a06a43", ARGS="--help"
	@$(BIN)/python -m infra.local.client $(ARGS)

.PHONY: example
example: installed ## run an example against the running local stack: NAME=ask ARGS='"deploy 42" "Ship it?" yes no'
	@variables=$$($(BIN)/python -m infra.local.client env) && eval "$$variables" && exec $(BIN)/python -m examples.$(NAME) $(ARGS)

.PHONY: picture
picture: installed ## draw the tour's beginning for the README
	@$(BIN)/python -m infra.local --picture docs/pictures/tour.svg

# What pytest makes of the tests' assertions is kept between runs, outside the tree: it takes longer than to collect the tests.
.PHONY: test
test: export PYTHONPYCACHEPREFIX := $(VENV)/pycache
test: export PYTHONDONTWRITEBYTECODE :=
test: installed ## run the tests (ARGS="-k name" picks some)
	@$(BIN)/python -m pytest -m 'not browser' -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

# The tests skip, and say why, where Chromium is not installed.
.PHONY: test-browser
test-browser: installed ## try the page in a real browser (needs Debian's package chromium)
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-browser.txt
	@$(BIN)/python -m pytest -m browser -rs tests/browser $(ARGS)

.PHONY: pictures
pictures: export ONETHREAD_PICTURES := docs/pictures
pictures: ARGS = -k test_page.py
pictures: test-browser ## the same, and write pictures of the page to docs/pictures/

.PHONY: test-runtime
test-runtime: installed ## run the built functions under AWS's emulator, where the tools are (a minute)
	@$(BIN)/python -m pytest -rs tests/runtime/functions.py $(ARGS)

.PHONY: test-dynamodb
test-dynamodb: installed ## run the Store's tests on Amazon's DynamoDB Local (npm, Java, root)
	@$(BIN)/python -m tests.dynamodb_local $(ARGS)

.PHONY: check
check: installed ## lint, formatting, types, template
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/sam validate --lint
	@$(BIN)/cfn-lint --regions us-east-1 -- tests/golden/template.yaml

.PHONY: explore
explore: installed ## search every schedule of the protocol, and many random histories (ARGS="--budget 90" stops in time)
	@$(BIN)/python -m tests.explorer $(ARGS)
	@$(if $(ARGS),,$(BIN)/python -m pytest -q tests/reconciler/test_anything.py --hypothesis-profile=long)

.PHONY: mutate
mutate: installed ## break each rule of the protocol and the reconciler, and see that a test notices (minutes)
	@$(BIN)/python -m tests.rules $(ARGS)

.PHONY: evidence
evidence: installed ## try what is claimed, and write docs/evidence.md (half an hour; ARGS="--short": five minutes)
	@$(BIN)/python -m tests.evidence $(ARGS)

.PHONY: rooms
rooms: installed ## draw the rooms of handler/ in docs/architecture.md
	@$(BIN)/python -m tests.test_architecture

.PHONY: schemas
schemas: installed ## write the JSON Schemas of what programs send and get to docs/schema/
	@$(BIN)/python -m infra.schemas

.PHONY: bench
bench: installed ## measure opens beside the floor and what people use instead, and write them into docs/benchmarks.md
	@$(BIN)/python -m infra.bench --write docs/benchmarks.md $(ARGS)

.PHONY: bench-cold
bench-cold: installed ## measure the cold starts of this artifact, and write them into docs/benchmarks.md (minutes)
	@$(BIN)/python -m infra.bench.cold --write docs/benchmarks.md $(ARGS)

.PHONY: golden
golden: installed ## write what CloudFormation gets to tests/golden/template.yaml, for review
	@$(BIN)/python -m tests.kit.translation

# It runs in an environment of its own: it pins a boto3 that is older than ours. The first run installs it, which takes a minute.
.PHONY: checkov
checkov: installed ## look for insecure settings in what CloudFormation gets (.checkov.yaml has the exceptions)
	@$(BIN)/uv tool run --python $(BIN)/python checkov==3.3.30 --config-file .checkov.yaml $(ARGS)

.PHONY: build
build: installed ## build what Lambda runs into .aws-sam/ (no Docker)
	@PYTHON=$(BIN)/python $(BIN)/sam build --parallel $(BUILD_ARGS)

BUILD_ARGS = $(ARGS)

.PHONY: setup
setup: installed ## set up a deployment on AWS and Discord, or put it right (asks for the bot's token)
	@$(BIN)/python -m infra.setup $(ARGS)

.PHONY: doctor
doctor: installed ## look at a deployment from end to end, and say what to mend
	@$(BIN)/python -m infra.doctor $(ARGS)

.PHONY: deploy
deploy: BUILD_ARGS := # ARGS are for `sam deploy`: the build knows none of its options
deploy: build ## deploy; the first time (or with ARGS=--guided), ask for the parameters
	@if [ -e samconfig.toml ]; then set --; else set -- --guided --stack-name onethread; fi; \
		$(BIN)/sam deploy --no-fail-on-empty-changeset "$$@" $(ARGS)

.PHONY: lock
lock: installed ## pin pyproject.toml's lists anew (ARGS="--upgrade" takes newer releases)
	@# The development set is resolved first: sam pins the boto3 that everything is tested with, so Lambda gets that one.
	@$(LOCK) pyproject.toml --group dev -o requirements-dev.txt
	@$(LOCK) pyproject.toml -c requirements-dev.txt -o requirements.txt
	@$(LOCK) --group browser -c requirements-dev.txt -o requirements-browser.txt

LOCK = $(BIN)/uv pip compile -q $(ARGS) --universal --generate-hashes --no-emit-index-url \
	--python-version 3.11 --custom-compile-command 'make lock'

.PHONY: where
where: installed ## say where the development environment's programs are
	@printf '%s\n' $(BIN)

.PHONY: clean
clean: ## remove what was built, and the virtual environment
	@rm -rf .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis $(ESCAPED_VENV)
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Whether it is there is asked when it is needed. A file as the target would not do: make splits the names of files at spaces.
.PHONY: installed
installed:
	@$(if $(shell [ $(ESCAPED_VENV)/.installed -nt requirements-dev.txt ] || echo missing),$(INSTALL))

# uv installs the rest in seconds; it is itself one of the pinned packages, so pip fetches that one first, by its hashes.
define INSTALL
if [ -z $(call quote,$(PYTHON)) ]; then echo 'Onethread needs Python 3.11, 3.12 or 3.13 on the PATH.' >&2; exit 1; fi
echo Installing the development environment into $(ESCAPED_VENV) >&2
$(call quote,$(PYTHON)) -m venv $(ESCAPED_VENV)
sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > $(ESCAPED_VENV)/uv.txt
$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r $(ESCAPED_VENV)/uv.txt
$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.txt
touch $(ESCAPED_VENV)/.installed
endef

# What `sam build` asks for, once for each function (it looks for these names): all run one artifact.
.PHONY: build-WebhookFunction build-WorkerFunction build-ApiFunction build-ReconcilerFunction build-PublisherFunction
build-WebhookFunction build-WorkerFunction build-ApiFunction build-ReconcilerFunction build-PublisherFunction:
	@$(call quote,$(PYTHON)) -m infra.artifact $(call quote,$(ARTIFACTS_DIR))
