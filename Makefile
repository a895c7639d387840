# Every target does its own set-up: each works as the first command typed on a fresh machine that
# has Swift 6.3.

SWIFT ?= swift
SURGEON = .build/release/surgeon
PACKAGES = libopenblas-dev liblapacke-dev libxxhash-dev
DEMO ?= demo-output
VENV ?= ../venv-surgeon-interop
MATERIAL ?= ../shared

.PHONY: help setup build demo test lint interop bfloat16 distributed results bench bench-torch clean

help:
	@echo "make demo     set up, build, and prune the embedded model (under a minute)"
	@echo "make test     set up, build, and run the tests"
	@echo "make build    the program: $(SURGEON)"
	@echo "make lint     formatting and the rules of the house"
	@echo "make interop  load pruned checkpoints in transformers (PyTorch in a virtual environment)"
	@echo "make bench    speed beside the limit of this machine (docs/performance.md)"
	@echo "make bench-torch  the same calibration in PyTorch, in turns with ours"
	@echo "make bfloat16   the tests of --compute bf16 with oneDNN"
	@echo "make distributed  calibrate and prune on several MPI processes of this machine (Open MPI)"
	@echo "make results  the tables of docs/results.md, from the models in $(MATERIAL)"

setup:
	@.ci/setup $(PACKAGES)

build: setup
	$(SWIFT) build -c release --product surgeon

demo: build
	$(SURGEON) demo --output $(DEMO) --overwrite

test: setup
	$(SWIFT) test -c release --disable-xctest --quiet

lint:
	.ci/lint

interop: build
	Tests/Interop/run $(VENV) $(SURGEON) $(MATERIAL)

bfloat16: setup
	@.ci/setup libdnnl-dev
	$(SWIFT) test -c release --disable-xctest --quiet --traits OneDNN --scratch-path .build/onednn \
	  --filter 'BFloat16|ComputePrecision|ModelTests'
	$(SWIFT) build -c release --product surgeon --traits OneDNN --scratch-path .build/onednn
	[ ! -d $(MATERIAL) ] || Tests/Results/compute --jobs $$(nproc) .build/onednn/release/surgeon \
	  $(MATERIAL) .build/compute.jsonl

distributed: setup
	@.ci/setup libopenmpi-dev openmpi-bin
	Tests/Distributed/run .build/mpi

results: build
	Tests/Results/run $(SURGEON) $(MATERIAL)
	VENV=$(VENV) Tests/Results/profiles $(SURGEON) $(MATERIAL)
	Tests/Results/methods --jobs $$(nproc) $(SURGEON) $(MATERIAL) .build/methods.jsonl
	Tests/Results/draw $(VENV)
	Tests/Results/shots --jobs $$(nproc) $(SURGEON) $(MATERIAL) .build/shots.jsonl
	Tests/Results/damping --jobs $$(nproc) $(SURGEON) $(MATERIAL) .build/damping.jsonl
	Tests/Results/depth $(SURGEON) $(MATERIAL) .build/depth.jsonl
	Tests/Results/recovery --jobs $$(nproc) $(SURGEON) $(MATERIAL) .build/recovery.jsonl
	Tests/Results/chop --jobs $$(nproc) $(SURGEON) $(MATERIAL) .build/chop.jsonl

bench: setup
	$(SWIFT) build -c release --product Benchmarks
	.build/release/Benchmarks --json .build/bench.json $(BENCH)

bench-torch: build
	Tests/Results/bench-torch $(VENV) $(SURGEON) $(BENCH_TORCH)

clean:
	rm -rf .build $(DEMO)
