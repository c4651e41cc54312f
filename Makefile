# make demo: set up, render and build demo_lips, train, evaluate, and say how to score a video.
# make test: set up, lint, check types, run all tests. make fast: the tests that take seconds.
# make controls: two runs of the demo that must end at chance.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA := data
DEMO := --data_dir=$(DATA)
QUIET := TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0

.PHONY: setup demo test fast controls
.DELETE_ON_ERROR:

setup: $(VENV)/.complete

$(VENV)/.complete: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v in ((3, 11), (3, 12)) else f"Python {v[0]}.{v[1]} found, 3.11 or 3.12 is needed: make $(MAKECMDGOALS) PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV) || { echo 'Python lacks the venv module: on Debian and Ubuntu, apt-get install python3-venv'; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -c 'import cv2' || { echo 'OpenCV lacks a system library: on Debian and Ubuntu, apt-get install libgl1 libglib2.0-0'; exit 1; }
	@touch $@

demo: setup
	$(QUIET) $(BIN)/tfds build data_builders/demo_lips --config=flow_lips_60x64 $(DEMO)
	$(BIN)/python run.py --config=configs/demo.py --workdir=runs/demo $(DEMO)
	$(BIN)/lipfake controls runs/demo $(DEMO)
	@echo
	@echo 'Figures and a page to look at: runs/demo/eval/demo_lips-test/report.html'
	@echo 'Score a video of your own, or one of the test part:'
	@echo "  $(BIN)/lipfake detect $$(ls $(DATA)/demo_videos/videos/test/*/*resynth* | head -n 1) --weights=runs/demo --out=runs/demo/detect"

controls: setup
	$(QUIET) $(BIN)/tfds build data_builders/demo_lips --config=flow_lips_60x64 $(DEMO)
	$(QUIET) $(BIN)/tfds build data_builders/demo_lips --config=flow_lips_60x64_null $(DEMO)
	$(BIN)/python run.py --config=configs/demo.py --config.data.shuffle_labels=True --workdir=runs/demo_shuffled $(DEMO)
	$(BIN)/python run.py --config=configs/demo.py --config.data.builder_config=flow_lips_60x64_null --workdir=runs/demo_null $(DEMO)

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

fast: setup
	$(BIN)/python -m pytest -m 'not slow'
