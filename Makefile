# make demo shows gaze at work; make view builds the window that shows it live; make test proves both. All install what is
# missing on Debian and Ubuntu, and say what to install elsewhere. make shaders rebuilds the SPIR-V after a change of its sources.

export GAZE_TOOLS ?= $(HOME)/.cache/gaze-tools

PURE = . ./configs ./reference ./shaders ./visualize ./visualize/explore ./engine/checkpoint ./engine/checkpoint/hub ./engine/tokenizer

# What has goroutines, or shares something among its callers', takes the race detector: packages but those of SERIAL, which has
# neither, and of SOME, most of which has neither, the tests of RACE: all of the command line takes four minutes.
SERIAL = /tests|/cmd/internal/|/configs$$|/shaders/|/engine/(bench|builtin|checkpoint|tune|verify)$$
SOME = ./cmd/gaze ./engine/modernbert ./engine/tokenizer ./visualize
RACE = Batches|Embed|Interrupted|Validated|Progress|Transfer|WeightStore|OtherModels|Forward|LargerBatch|WorksAre|Layers|Cancelled|Closed|Lasts|Concurrent|Golden|SameTime

.PHONY: demo view test build shaders clean

demo:
	@tests/setup/demo-needs
	@$(MAKE) --no-print-directory build
	bin/gaze demo --out demo
	@echo; echo "The pictures:"; ls "$(CURDIR)"/demo/*.png

view:
	@tests/setup/view-needs
	go build -o bin/gaze-view ./cmd/gaze-view
	@echo; echo "bin/gaze-view opens the window; bin/gaze-view --help says what it can do."

build:
	go build -o bin/gaze ./cmd/gaze

test:
	@tests/setup/test-needs
	go vet ./...
	@unformatted=$$("$$(go env GOROOT)/bin/gofmt" -l .); [ -z "$$unformatted" ] || { echo "gofmt -w $$unformatted"; exit 1; }
	CGO_ENABLED=0 go build $(PURE)
	tests/setup/shaders-fresh
	go test -timeout 60m ./...
	go test -timeout 60m -race $$(go list ./... | grep -v -E '$(SERIAL)' | grep -v -x -F "$$(go list $(SOME))")
	go test -timeout 60m -race -run "$(RACE)" $(SOME)
	@echo "make test: passed, on $$(cut -f 1 "$$GAZE_TOOLS/drivers.env" | paste -s -d ' ' -)"; cat "$$GAZE_TOOLS/warnings"

shaders:
	@tests/setup/shader-tools
	PATH="$$GAZE_TOOLS/bin:$$PATH" go generate ./shaders

clean:
	rm -rf bin demo
