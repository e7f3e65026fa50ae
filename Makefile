# Everything that is done with this tree, one word each; `make help` lists the words.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c

CARGO  ?= cargo
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/mediastruct
SQLDIR ?= $(PREFIX)/share/mediastruct/sql

BASHDIR ?= $(PREFIX)/share/bash-completion/completions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions

VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml)
TARGET  := $(or $(CARGO_TARGET_DIR),target)
TOOLS   := $(basename $(notdir $(sort $(wildcard src/bin/ms-*.rs))))
BUILT   := $(TOOLS:%=$(TARGET)/release/%)
SOURCES := Cargo.toml Cargo.lock $(shell find src -name '*.rs' -o -name '*.css')
BASH    := $(TOOLS:%=$(TARGET)/release/completions/bash/%)
FISH    := $(TOOLS:%=$(TARGET)/release/completions/fish/%.fish)
ZSH     := $(TOOLS:%=$(TARGET)/release/completions/zsh/_%)
MANUALS := $(sort $(wildcard man/*.[1-9]))
QUERIES := $(sort $(wildcard share/sql/*.sql))
SHARED  := $(sort $(wildcard share/examples/*))
SCRIPTS := .ci/run tests/demo.sh tests/filesystems.sh tests/packages.sh tests/guest.sh benches/bench.sh benches/soak.sh benches/scale.sh \
           tests/interface/bash.bash $(wildcard tests/examples/*.sh) \
           $(filter-out %/duckdb,$(wildcard tests/examples/stand-ins/*)) share/examples/ms-nightly

# Where the crates lie is nobody's business: without it, what is built is the same wherever it is built.
CARGO_HOME ?= $(HOME)/.cargo
BUILD      := RUSTFLAGS='$(strip $(RUSTFLAGS) --remap-path-prefix=$(CARGO_HOME)=/cargo)' $(CARGO) build --release --locked

# In a recipe: skips the rest of it, loudly, where a program is absent. Where CI is set, absence is a failure.
NEEDS = command -v $(1) >/dev/null || { echo "SKIPPED: $@: $(1) is not installed" >&2; test -z "$$CI"; exit; }

.PHONY: all completions help demo check fmt clippy doc lint-man lint-scripts test filesystems fuzz bench soak scale install uninstall dist deb packages clean

all: ## build all tools, optimised, and their completions
	$(BUILD)
	@$(MAKE) --no-print-directory completions

help: ## list these words
	@awk -F ':[^#]*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: all ## make a dataset, move its duplicates away, sort it by date, and undo both
	@PATH="$(abspath $(TARGET)/release):$$PATH" tests/demo.sh

check: fmt clippy doc lint-man lint-scripts ## format, lints, documentation, manuals and scripts; a warning is an error

fmt:
	$(CARGO) fmt --check

clippy:
	$(CARGO) clippy --locked --all-targets -- -D warnings

# The documentation is for readers of the code, so what is private is shown and may be linked to.
doc:
	RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' $(CARGO) doc --locked --no-deps --document-private-items

lint-man:
	@$(call NEEDS,mandoc); set -x; mandoc -T lint -W warning $(MANUALS)

lint-scripts:
	@for script in $(SCRIPTS); do bash -n "$$script" || exit; done
	@$(call NEEDS,shellcheck); set -x; shellcheck $(SCRIPTS)

# nextest runs no documentation tests; they go first, so that the last lines are the verdict on the tools.
test: ## run all tests
	$(CARGO) test --locked --quiet --doc
	@if $(CARGO) nextest --version >/dev/null 2>&1; \
	then set -x; $(CARGO) nextest run --locked; \
	else set -x; $(CARGO) test --locked --lib --bins --tests; fi

filesystems: ## run the tests of ms-mv on ext4, xfs, btrfs, overlay, tmpfs, exfat and vfat (as root)
	tests/filesystems.sh

# Seeded, so that a failure comes again. All targets of tests/fuzz, then each reader of photos and videos by itself. What
# looks further is cargo-fuzz: see fuzz/README.md.
fuzz: ## have damaged files of all kinds read, for about a minute
	MEDIASTRUCT_FUZZ_SECONDS=4 $(CARGO) test --locked --quiet --test fuzz seeded
	MEDIASTRUCT_FUZZ_SECONDS=5 $(CARGO) test --locked --quiet --lib damage_is_survived
	MEDIASTRUCT_FUZZ_SECONDS=2 $(CARGO) test --locked --quiet --lib no_harm

bench: all ## time the tools beside their peers (see benches/bench.sh)
	@PATH="$(abspath $(TARGET)/release):$$PATH" benches/bench.sh

soak: all ## put the tools to very much, and to very little (see benches/soak.sh)
	@PATH="$(abspath $(TARGET)/release):$$PATH" benches/soak.sh

scale: all ## measure the ways to a plan for very many rows (see benches/scale.sh)
	@PATH="$(abspath $(TARGET)/release):$$PATH" benches/scale.sh

# Builds only what is not up to date, so that `sudo make install` after `make` needs no Rust toolchain.
install: $(BUILT) $(BASH) $(FISH) $(ZSH) ## install under PREFIX (/usr/local), below DESTDIR if set
	install -d $(addprefix '$(DESTDIR),$(BINDIR)' $(MANDIR)/man1' $(MANDIR)/man5' $(MANDIR)/man7' $(DOCDIR)/examples' $(SQLDIR)')
	install -d $(addprefix '$(DESTDIR),$(BASHDIR)' $(FISHDIR)' $(ZSHDIR)')
	install -m 755 $(BUILT) '$(DESTDIR)$(BINDIR)'
	install -m 644 $(filter %.1,$(MANUALS)) '$(DESTDIR)$(MANDIR)/man1'
	install -m 644 $(filter %.5,$(MANUALS)) '$(DESTDIR)$(MANDIR)/man5'
	install -m 644 $(filter %.7,$(MANUALS)) '$(DESTDIR)$(MANDIR)/man7'
	install -m 644 README.md LICENSE '$(DESTDIR)$(DOCDIR)'
	install -m 644 $(BASH) '$(DESTDIR)$(BASHDIR)'
	install -m 644 $(FISH) '$(DESTDIR)$(FISHDIR)'
	install -m 644 $(ZSH) '$(DESTDIR)$(ZSHDIR)'
	install -m 644 $(filter-out %/ms-nightly,$(SHARED)) '$(DESTDIR)$(DOCDIR)/examples'
	install -m 755 $(filter %/ms-nightly,$(SHARED)) '$(DESTDIR)$(DOCDIR)/examples'
	install -m 644 $(QUERIES) '$(DESTDIR)$(SQLDIR)'

$(BUILT) &: $(SOURCES)
	$(BUILD)

# Each tool tells what shells need to complete it. By way of another name, so that a file is whole or not there.
completions: $(BASH) $(FISH) $(ZSH)

$(BASH): $(TARGET)/release/completions/bash/%: $(TARGET)/release/%
$(FISH): $(TARGET)/release/completions/fish/%.fish: $(TARGET)/release/%
$(ZSH): $(TARGET)/release/completions/zsh/_%: $(TARGET)/release/%
$(BASH) $(FISH) $(ZSH):
	@mkdir -p $(@D)
	@$< --completion $(notdir $(@D)) > $@.new
	@mv $@.new $@

uninstall: ## remove what install put there
	cd '$(DESTDIR)$(BINDIR)' && rm -f $(TOOLS)
	cd '$(DESTDIR)$(MANDIR)' && rm -f $(foreach page,$(notdir $(MANUALS)),man$(subst .,,$(suffix $(page)))/$(page))
	cd '$(DESTDIR)$(BASHDIR)' && rm -f $(notdir $(BASH))
	cd '$(DESTDIR)$(FISHDIR)' && rm -f $(notdir $(FISH))
	cd '$(DESTDIR)$(ZSHDIR)' && rm -f $(notdir $(ZSH))
	cd '$(DESTDIR)$(DOCDIR)' && rm -f README.md LICENSE
	cd '$(DESTDIR)$(DOCDIR)/examples' && rm -f $(notdir $(SHARED))
	cd '$(DESTDIR)$(SQLDIR)' && rm -f $(notdir $(QUERIES))
	rmdir '$(DESTDIR)$(DOCDIR)/examples' '$(DESTDIR)$(DOCDIR)' '$(DESTDIR)$(SQLDIR)'
	rmdir --ignore-fail-on-non-empty '$(DESTDIR)$(dir $(SQLDIR))'

# Times and owners come from the commit and gzip stores no time of its own: one commit, one archive.
dist: ## pack the committed tree as a reproducible archive
	mkdir -p $(TARGET)
	git archive --format=tar --prefix=mediastruct-$(VERSION)/ HEAD | gzip -9n > $(TARGET)/mediastruct-$(VERSION).tar.gz
	@sha256sum $(TARGET)/mediastruct-$(VERSION).tar.gz

# Times come from the commit, and in what `make dist` has packed, from its files, which have that time.
deb: all ## make a Debian package: the same bytes wherever and whenever it is made (cargo-deb does it)
	@$(CARGO) deb --version >/dev/null 2>&1 || \
		{ echo 'make deb: cargo-deb is not installed: cargo install cargo-deb --locked' >&2; exit 2; }
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.toml)} \
		$(CARGO) deb --no-build --locked --output $(TARGET)/
	@sha256sum $(TARGET)/mediastruct_$(VERSION)-1_*.deb

packages: deb ## install, use and remove the tools in every way there is, and make the package once more elsewhere
	BUILD="$(BUILD)" tests/packages.sh

clean: ## remove all that was built
	$(CARGO) clean
