# Tusk. The one way in; `make help` names every target.
#
#   CC=clang        another compiler                     WERROR=1        warnings are errors
#   CFLAGS=…        added to ours (CPPFLAGS, LDFLAGS too)   T=name       only the suites, or the fuzz target, of that name
#   V=1             show the commands
#   O=…             where to build (build)
#   VARIANT=…       which build, each in build/<variant>/: release asan ubsan tsan valgrind cov clang fuzz types
#
# New files are found by wildcard: proto/*.c loop/*.c lib/*.c lib/codec/*.c, test/*_test.c test/*/*_test.c (Check programs),
# test/harness/*.c and the rest of test/sim/*.c (linked into each of them), test/fuzz/*_fuzz.c with test/fuzz/corpus/*/,
# docs/examples/*.c.

VARIANT ?= release
O       ?= build
PREFIX  ?= /usr/local
CLANG   ?= clang
JOBS    ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CXX),default)
CXX := g++
endif

B  := $(O)/$(VARIANT)
OS := $(shell uname -s)

# ---- flags -----------------------------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wundef -Wvla -Wcast-qual -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough
SANITIZE := -fno-sanitize-recover=all -fno-omit-frame-pointer

FLAGS_release  := -O2 -g -ffunction-sections
FLAGS_asan     := -O1 -g -fsanitize=address,undefined $(SANITIZE)
FLAGS_ubsan    := -O1 -g -fsanitize=undefined $(SANITIZE)
FLAGS_tsan     := -O1 -g -fsanitize=thread $(SANITIZE)
FLAGS_valgrind := -O1 -g
FLAGS_cov      := -O0 -g --coverage
FLAGS_clang    := -O2 -g
FLAGS_fuzz     := -O1 -g -fsanitize=fuzzer-no-link,address,undefined $(SANITIZE)
# Without a call at each comparison: three times as many executions of a codec, whose inputs hold no long words to be guessed.
FLAGS_types    := -O2 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-coverage=trace-cmp $(SANITIZE)
ifeq ($(origin FLAGS_$(VARIANT)),undefined)
$(error VARIANT=$(VARIANT) is none of: release asan ubsan tsan valgrind cov clang fuzz types)
endif

OUR_CPPFLAGS := -I. -Iinclude
ifeq ($(OS),Linux)
OUR_CPPFLAGS += -D_GNU_SOURCE
endif
OUR_CFLAGS   := -std=c11 $(WARNINGS) $(FLAGS_$(VARIANT)) $(if $(WERROR),-Werror) -ffile-prefix-map=$(CURDIR)=.
COMPILE       = $(CC) $(OUR_CPPFLAGS) $(CPPFLAGS) $(OUR_CFLAGS) $(CFLAGS)
LINK          = $(CC) $(FLAGS_$(VARIANT)) $(CFLAGS) $(LDFLAGS)
LIBS         := -lssl -lcrypto -lpthread
CHECK_LIBS    = $(shell pkg-config --libs check 2>/dev/null || echo -lcheck)

# Linked by those alone who name tusk_gssapi(). Where its header is missing lib/gss.c is left out, and nothing else.
GSSAPI_CFLAGS := $(shell pkg-config --cflags krb5-gssapi 2>/dev/null)
GSSAPI_LIBS   := $(or $(shell pkg-config --libs krb5-gssapi 2>/dev/null),-lgssapi_krb5)
HAVE_GSSAPI   := $(shell $(CC) $(CPPFLAGS) $(GSSAPI_CFLAGS) -include gssapi/gssapi.h -E -x c /dev/null >/dev/null 2>&1 && echo yes)

# Linked by those alone who name something of tusk/json.h. Where its header is missing lib/jansson.c is left out.
HAVE_JANSSON := $(shell $(CC) $(CPPFLAGS) -include jansson.h -E -x c /dev/null >/dev/null 2>&1 && echo yes)

# ---- files -----------------------------------------------------------------------------------------------------------

OTHER_LOOP   := $(if $(filter Linux,$(OS)),loop/kqueue.c,loop/epoll.c)
NO_GSSAPI    := $(if $(HAVE_GSSAPI),,lib/gss.c include/tusk/gssapi.h docs/examples/gssapi.c)
NO_JANSSON   := $(if $(HAVE_JANSSON),,lib/jansson.c include/tusk/json.h docs/examples/json.c test/jansson_test.c \
                test/live/jansson_live_test.c)
LIB_SRC      := $(filter-out $(OTHER_LOOP) $(NO_GSSAPI) $(NO_JANSSON),$(wildcard proto/*.c loop/*.c lib/*.c lib/codec/*.c))
HARNESS_SRC  := $(filter-out test/harness/fuzz_replay.c,$(wildcard test/harness/*.c)) \
                $(filter-out %_test.c,$(wildcard test/sim/*.c))
TEST_SRC     := $(filter-out $(NO_JANSSON),$(wildcard test/*_test.c test/*/*_test.c))
FUZZ_SRC     := $(wildcard test/fuzz/*_fuzz.c)
EXAMPLE_SRC  := $(filter-out $(NO_GSSAPI) $(NO_JANSSON),$(wildcard docs/examples/*.c))
BENCH_SRC    := $(wildcard bench/*_bench.c bench/*_figure.c)
HEADERS      := $(filter-out $(NO_GSSAPI) $(NO_JANSSON),$(wildcard include/tusk/*.h))
GSSAPI_TESTS := test/gss_test test/live/gss_live_test

LIB_OBJ      := $(LIB_SRC:%.c=$(B)/%.o)
HARNESS_OBJ  := $(HARNESS_SRC:%.c=$(B)/%.o)
TESTS        := $(TEST_SRC:%.c=$(B)/%)
REPLAYS      := $(FUZZ_SRC:test/fuzz/%_fuzz.c=$(B)/test/fuzz/%_replay)
EXAMPLES     := $(EXAMPLE_SRC:%.c=$(B)/%)
BENCHES      := $(BENCH_SRC:%.c=$(B)/%)
SIM_SRC      := $(wildcard test/sim/*_test.c)
FAULT_ALLOC  := $(wildcard test/fault/alloc*_test.c)
FAULT_SYS    := $(wildcard test/fault/sys*_test.c)

VERSION      := $(or $(shell sed -n 's/^.define TUSK_VERSION "\(.*\)"/\1/p' include/tusk/version.h),0.0.0)

# V=1 shows the commands.
ifndef V
SHOW = @printf '  %-5s %s\n' '$(1)' '$(@:$(O)/%=%)';
endif

# A sub-make that builds in parallel, unless this make was already told how.
SUB = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))
RUN = test/harness/run

.DEFAULT_GOAL := default
.DELETE_ON_ERROR:
.SECONDARY:

# ---- building --------------------------------------------------------------------------------------------------------

.PHONY: default
default: $(B)/libtusk.a   ## build build/libtusk.a, the library (release)
	@ln -sf $(VARIANT)/libtusk.a $(O)/libtusk.a

# Rebuilt only when its text changes; what depends on it is rebuilt then: other flags, another compiler, a file less.
define write_if_changed
	@mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@
endef
.PHONY: FORCE
$(B)/flags: FORCE
	$(call write_if_changed,$(COMPILE))
$(B)/members: FORCE
	$(call write_if_changed,$(LIB_OBJ))
$(B)/harness-members: FORCE
	$(call write_if_changed,$(HARNESS_OBJ))

$(B)/gssapi: FORCE
	$(call write_if_changed,$(HAVE_GSSAPI))

$(B)/lib/gss.o $(GSSAPI_TESTS:%=$(B)/%.o): private CPPFLAGS += $(GSSAPI_CFLAGS) $(if $(HAVE_GSSAPI),-DHAVE_GSSAPI)
$(GSSAPI_TESTS:%=$(B)/%.o): $(B)/gssapi
$(GSSAPI_TESTS:%=$(B)/%) $(B)/docs/examples/gssapi: private LIBS += $(if $(HAVE_GSSAPI),$(GSSAPI_LIBS))

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call SHOW,CC)$(COMPILE) -MMD -MP -c -o $@ $<
	$(if $(and $(ORDERED),$(filter $@,$(LIB_OBJ))),@$(OBJCOPY) @$(B)/order $@)

# The functions that a query passes get sections of their own whose names sort in that order: linkers lay .text.sorted.* out by name,
# side by side, and a query touches a third less of the processor's cache. One that knows nothing of it lays them out as any others.
OBJCOPY ?= objcopy
ORDERED := $(and $(filter release,$(VARIANT)),$(filter Linux,$(OS)),$(shell command -v $(OBJCOPY)))
$(B)/order: lib/order.txt
	@mkdir -p $(@D)
	@awk '!/^#/ { printf "--rename-section .text.%s=.text.sorted.%04d\n", $$1, NR }' $< >$@
$(if $(ORDERED),$(eval $(LIB_OBJ): $(B)/order))

$(B)/libtusk.a: $(LIB_OBJ) $(B)/members
	@rm -f $@
	@$(if $(HAVE_GSSAPI),:,echo '  without GSSAPI: there is no gssapi/gssapi.h (Debian has it in libkrb5-dev)')
	$(call SHOW,AR)$(AR) rcs $@ $(LIB_OBJ)

$(B)/libharness.a: $(HARNESS_OBJ) $(B)/harness-members
	@rm -f $@
	$(call SHOW,AR)$(AR) rcs $@ $(HARNESS_OBJ)

$(TESTS): $(B)/%: $(B)/%.o $(B)/libharness.a $(B)/libtusk.a
	$(call SHOW,LINK)$(LINK) -o $@ $^ $(CHECK_LIBS) $(LIBS)

$(EXAMPLES): $(B)/%: $(B)/%.o $(B)/libtusk.a
	$(call SHOW,LINK)$(LINK) -o $@ $^ $(LIBS)

# One program per peer, and per figure; heap_count.so is preloaded into any of them.
$(B)/bench/libpq_bench.o $(B)/bench/values_figure.o: private CPPFLAGS += $(shell pkg-config --cflags libpq 2>/dev/null)
$(B)/bench/libpq_bench: private LIBS := -lpq
$(B)/bench/values_figure: private LIBS += -lpq -lm
$(filter %_bench,$(BENCHES)): $(B)/%: $(B)/%.o $(B)/bench/bench.o $(B)/libtusk.a
	$(call SHOW,LINK)$(LINK) -o $@ $^ $(LIBS)

# At fixed addresses, for bench/order.
$(B)/bench/tusk_order: $(B)/bench/tusk_bench.o $(B)/bench/bench.o $(B)/libtusk.a
	$(call SHOW,LINK)$(LINK) -no-pie -o $@ $^ $(LIBS)

$(filter %_figure,$(BENCHES)): $(B)/%: $(B)/%.o $(B)/libharness.a $(B)/libtusk.a
	$(call SHOW,LINK)$(LINK) -o $@ $^ $(CHECK_LIBS) $(LIBS)

$(B)/bench/heap_count.so: bench/heap_count.c $(B)/flags
	@mkdir -p $(@D)
	$(call SHOW,LINK)$(COMPILE) -fPIC -shared -o $@ $< -ldl

$(B)/test/fuzz/%_replay: $(B)/test/fuzz/%_fuzz.o $(B)/test/harness/fuzz_replay.o $(B)/libtusk.a
	$(call SHOW,LINK)$(LINK) -o $@ $^ $(LIBS)

$(B)/test/jansson_test $(B)/test/live/jansson_live_test $(B)/docs/examples/json: private LIBS += -ljansson

# jansson is what our reading of JSON is held against.
$(B)/test/fuzz/%_replay $(B)/test/fuzz/%_fuzz: private LIBS += -ljansson
$(B)/test/fuzz/%_fuzz: $(B)/test/fuzz/%_fuzz.o $(B)/libtusk.a
	$(call SHOW,LINK)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS)

-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)

.PHONY: suites-built examples-built bench-built all-built
suites-built: $(TESTS) $(REPLAYS)
examples-built: $(EXAMPLES)
bench-built: default $(BENCHES) $(B)/bench/tusk_order $(B)/bench/heap_count.so
all-built: default suites-built examples-built

# ---- testing ---------------------------------------------------------------------------------------------------------

# T=frame: the programs with that in their name.
pick = $(if $(T),$(foreach p,$(1),$(if $(findstring $(T),$(notdir $(p))),$(p))),$(1))
in   = $(patsubst %.c,$(O)/$(1)/%,$(2))
all_in = $(call pick,$(call in,$(1),$(TEST_SRC)) $(patsubst $(O)/$(VARIANT)/%,$(O)/$(1)/%,$(REPLAYS)))

.PHONY: picked-built
picked-built: $(call pick,$(TESTS) $(REPLAYS))

.PHONY: test
test:   ## everything: all suites in release and under ASan+UBSan, corpora, 2000 simulation seeds, examples; totals last
	@test/harness/setup test
	@$(SUB) VARIANT=release all-built
	@$(SUB) VARIANT=asan suites-built
	@$(RUN) TUSK_SIM_SEEDS=2000 $(call all_in,release) $(call pick,$(call in,release,$(EXAMPLE_SRC))) \
	    CK_FORK=no TUSK_SIM_SEEDS=200 $(call all_in,asan)

.PHONY: check
check:   ## the suites once, in the release build; T=name only those with that name
	@test/harness/setup test
	@$(SUB) VARIANT=release picked-built
	@$(RUN) $(call all_in,release)

.PHONY: asan ubsan tsan
asan:   ## the suites under the address and undefined-behaviour sanitizers
ubsan:   ## the suites under the undefined-behaviour sanitizer alone
tsan:   ## the suites under the thread sanitizer
asan ubsan tsan:
	@test/harness/setup test
	@$(SUB) VARIANT=$@ picked-built
	@TUSK_RUN_UNDER='$(if $(filter tsan,$@),$(shell setarch -R true 2>/dev/null && echo setarch -R))' \
	    TUSK_RUN_LIMIT=$(if $(filter tsan,$@),1800,300) $(RUN) CK_FORK=no $(call all_in,$@)

.PHONY: valgrind
valgrind:   ## the suites under valgrind's memcheck
	@test/harness/setup valgrind
	@$(SUB) VARIANT=valgrind picked-built
	@TUSK_RUN_UNDER='valgrind -q --leak-check=full --error-exitcode=9' TUSK_RUN_LIMIT=1800 $(RUN) CK_FORK=no $(call all_in,valgrind)

.PHONY: cov
cov:   ## the suites with coverage; prints lines and branches by file
	@test/harness/setup cov
	@$(SUB) VARIANT=cov suites-built
	@find $(O)/cov -name '*.gcda' -delete
	@$(RUN) $(call all_in,cov)
	@if command -v gcovr >/dev/null 2>&1; then gcovr --root . --object-directory $(O)/cov -f proto/ -f loop/ -f lib/; \
	else cd $(O)/cov && gcov -b -n $(patsubst $(O)/cov/%,%,$(LIB_SRC:%.c=%.o)); fi

.PHONY: fuzz
fuzz:
	@[ -n "$(FUZZ_SRC)" ] || { echo 'make fuzz: test/fuzz/*_fuzz.c is not there yet'; false; }
	@test/harness/setup fuzz
	@$(SUB) VARIANT=fuzz CC=$(CLANG) $(patsubst %,$(O)/fuzz/%,$(call pick,$(FUZZ_SRC:.c=)))
	@for t in $(call pick,$(FUZZ_SRC:test/fuzz/%_fuzz.c=%)); do \
	    mkdir -p $(O)/fuzz/corpus/$$t $(O)/fuzz/found && \
	    $(O)/fuzz/test/fuzz/$${t}_fuzz -max_total_time=$(or $(S),60) -artifact_prefix=$(O)/fuzz/found/$$t- \
	        $(O)/fuzz/corpus/$$t $$(ls -d test/fuzz/corpus/$$t 2>/dev/null) || exit 1; done

# The targets that play the decoders of types, each decoder alone.
TYPE_TARGETS := codec container own
.PHONY: fuzz-types
fuzz-types:
	@test/harness/setup fuzz
	@$(SUB) VARIANT=types CC=$(CLANG) $(TYPE_TARGETS:%=$(O)/types/test/fuzz/%_fuzz)
	@test/fuzz/types '$(T)' $(TYPE_TARGETS:%=$(O)/types/test/fuzz/%_fuzz)

# Long runs of programs that `make test` runs briefly.
define run_long
	@[ -n "$(strip $(1))" ] || { echo "make $@: $(2) is not there yet"; false; }
	@test/harness/setup test
	@$(SUB) VARIANT=release suites-built
	@TUSK_RUN_LIMIT=7200 $(RUN) $(3) $(call in,release,$(1))
endef
.PHONY: sim fault-alloc fault-sys
sim:
	$(call run_long,$(SIM_SRC),test/sim/*_test.c,TUSK_SIM_SEEDS=$(or $(SEEDS),10000))
fault-alloc:
	$(call run_long,$(FAULT_ALLOC),test/fault/alloc*_test.c,TUSK_FAULT_FULL=1)
fault-sys:
	$(call run_long,$(FAULT_SYS),test/fault/sys*_test.c,TUSK_FAULT_FULL=1)

# Targets that are a script of their own, beside what they work on.
SCRIPT_TARGETS := test-matrix cancels pipelines compare-libpq compare-logins bench bench-counts values many figures turns stagger silence order docs
SCRIPT_test-matrix  := test/matrix
SCRIPT_cancels      := test/cancels
SCRIPT_pipelines    := test/pipelines
SCRIPT_compare-libpq := test/compare/run
SCRIPT_compare-logins := test/compare/run-logins
SCRIPT_bench        := bench/run
SCRIPT_bench-counts := bench/counts
SCRIPT_many         := bench/many
SCRIPT_values       := bench/values
SCRIPT_figures      := bench/figures
SCRIPT_turns        := bench/turns
SCRIPT_stagger      := bench/stagger
SCRIPT_silence      := bench/silence
SCRIPT_order        := bench/order
SCRIPT_docs         := docs/generate
MEASURING           := bench bench-counts values many figures turns stagger silence order
.PHONY: $(SCRIPT_TARGETS)
$(SCRIPT_TARGETS):
	@[ -x $(SCRIPT_$@) ] || { echo "make $@: $(SCRIPT_$@) is not there yet"; false; }
	@test/harness/setup test $(if $(filter $@,$(MEASURING)),bench) $(if $(filter $@,test-matrix),matrix)
	@$(SUB) VARIANT=release $(if $(filter $@,$(MEASURING)),bench-built,$(if $(filter $@,test-matrix cancels pipelines),suites-built,default))
	@TUSK_BENCH_BIN=$(O)/release/bench $(SCRIPT_$@)

.PHONY: demo
demo:
	@[ -e docs/examples/demo.c ] || { echo 'make demo: docs/examples/demo.c is not there yet'; false; }
	@test/harness/setup demo
	@$(SUB) VARIANT=release $(O)/release/docs/examples/demo
	@test/harness/server exec sh -c '$(O)/release/docs/examples/demo "$$TUSK_TEST_DSN"'

# ---- linting ---------------------------------------------------------------------------------------------------------

.PHONY: lint
lint:   ## all checks of the source: layers headers exports banned fmt-check kqueue clang tidy
	@test/harness/setup lint
	@$(SUB) -j1 layers headers exports banned fmt-check kqueue
	@$(SUB) clang
	@$(SUB) -j1 tidy
	@echo 'lint: nothing to complain about'

.PHONY: layers
layers: $(LIB_OBJ)   ## who includes whom, and what proto/ and loop/ call
	@test/layers $(B)

.PHONY: headers
headers:   ## each public header alone, as C11 and as C++17
	@set -e; for h in $(HEADERS:include/%=%); do \
	    for cc in '$(CC)' '$(CLANG)'; do command -v $$cc >/dev/null || continue; \
	        printf '#include <%s>\nextern int nothing_else;\n' $$h | \
	        $$cc -std=c11 -pedantic -Wall -Wextra -Wconversion -Wstrict-prototypes -Wundef -Werror -Iinclude -fsyntax-only -x c -; done; \
	    printf '#include <%s>\nextern int nothing_else;\n' $$h | \
	    $(CXX) -std=c++17 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ -; done
	@set -e; for cc in '$(CC) -std=c11 -Wconversion' '$(CXX) -std=c++17 -x c++'; do for wrong in 0 1 2 3; do \
	    $$cc -pedantic -Wall -Wextra -Wundef -Werror -Iinclude -fsyntax-only -DWRONG=$$wrong test/headers/fields.c 2>$(B)/headers.log && ok=0 || ok=1; \
	    [ $$ok = $$((wrong > 0)) ] || { cat $(B)/headers.log; echo "headers: test/headers/fields.c, WRONG=$$wrong: $$cc"; exit 1; }; done; done

.PHONY: exports
exports: $(B)/libtusk.a $(B)/docs/examples/query   ## no global symbol that does not begin with tusk_, no mechanism that was not named, no path of this machine
	@! nm -g --defined-only $< 2>/dev/null | awk 'NF == 3 && $$3 !~ /^_?tusk_/ { print "exports: " $$3; bad = 1 } END { exit !bad }'
	@! nm $(B)/docs/examples/query | grep -E ' tusk_(oauth|gssapi|token_give)$$'
	@! grep -qF '$(CURDIR)' $< || { echo 'exports: the archive says where it was built'; exit 1; }

.PHONY: banned
banned:   ## functions that are not used here, and where memory may come from
	@test/banned

# What clang-format and clang-tidy say differs by version; only the pinned one may refuse. Headers are laid out by hand.
LINT_MAJOR   := 14
CLANG_FORMAT ?= $(shell command -v clang-format-$(LINT_MAJOR) || echo clang-format)
FORMATTED     = $(shell grep -LiE 'generated (by|from)|do not edit' $(wildcard proto/*.c loop/*.c lib/*.c lib/*/*.c test/*.c \
                    test/*/*.c test/*/*/*.c bench/*.c docs/examples/*.c))
.PHONY: fmt fmt-check
fmt:   ## format the .c files in place (clang-format 14)
	@$(CLANG_FORMAT) -i $(FORMATTED)
fmt-check:   ## say which files `make fmt` would change
	@case $$($(CLANG_FORMAT) --version) in *version\ $(LINT_MAJOR).*) ;; \
	*) echo 'fmt-check: skipped, this is not clang-format $(LINT_MAJOR)'; exit 0;; esac; \
	bad=0; for f in $(FORMATTED); do $(CLANG_FORMAT) $$f | cmp -s - $$f || { echo "fmt-check: make fmt would change $$f"; bad=1; }; done; \
	exit $$bad

CLANG_TIDY   ?= $(shell command -v clang-tidy-$(LINT_MAJOR) || echo clang-tidy)
.PHONY: tidy
tidy:   ## clang-tidy (bugprone, cert, the analyzer) over the library; V=1 shows how the analyzer got there
	@bad=0; printf '%s\n' $(LIB_SRC) | xargs -P $(JOBS) -n 4 sh -c 'found=$$($(CLANG_TIDY) --quiet "$$@" -- $(OUR_CPPFLAGS) -std=c11 2>&1); \
	    bad=$$?; printf "%s\n" "$$found" | grep -E "$(if $(V),.,: (error|warning): )" >&2; exit $$bad' tidy || bad=1; \
	case $$($(CLANG_TIDY) --version) in *version\ $(LINT_MAJOR).*) exit $$bad;; \
	*) [ $$bad = 0 ] || echo 'tidy: this is not clang-tidy $(LINT_MAJOR), so the above is only a notice';; esac

.PHONY: clang
clang:   ## everything compiled once by clang, warnings are errors
	@$(MAKE) --no-print-directory VARIANT=clang CC=$(CLANG) WERROR=1 clang-built
.PHONY: clang-built
clang-built: $(B)/libtusk.a suites-built examples-built

.PHONY: kqueue
kqueue:   ## on Linux: compile loop/kqueue.c against our own declarations of its calls
ifeq ($(OS),Linux)
	@if [ -e loop/kqueue.c ] && [ -e test/kqueue/sys/event.h ]; then \
	    mkdir -p $(O)/kqueue && $(COMPILE) -Werror -Itest/kqueue -c -o $(O)/kqueue/kqueue.o loop/kqueue.c; fi
endif

.PHONY: longest
longest:   ## the ten longest functions
	@awk 'FNR == 1 { start = 0 } \
	    /^[A-Za-z_].*\(/ && !start { signature = $$0; at = FNR } \
	    (/^\{$$/ || /^[A-Za-z_].*\).*\{$$/) && !start { start = at } \
	    /^\}/ && start { sub(/\(.*/, "", signature); sub(/.*[ *]/, "", signature); \
	        printf "%5d  %s (%s:%d)\n", FNR - start + 1, signature, FILENAME, start; start = 0 }' \
	    $(LIB_SRC) /dev/null | sort -rn | head -n 10

# ---- installing ------------------------------------------------------------------------------------------------------

.PHONY: install
install: default   ## headers, library and pkg-config's files into PREFIX (/usr/local), below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/include/tusk $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 $(HEADERS) $(DESTDIR)$(PREFIX)/include/tusk
	if [ -d include/tusk/adapters ]; then install -d $(DESTDIR)$(PREFIX)/include/tusk/adapters && \
	    install -m 644 include/tusk/adapters/*.h $(DESTDIR)$(PREFIX)/include/tusk/adapters; fi
	install -m 644 $(B)/libtusk.a $(DESTDIR)$(PREFIX)/lib/libtusk.a
	for pc in tusk $(if $(HAVE_GSSAPI),tusk-gssapi) $(if $(HAVE_JANSSON),tusk-json); do \
	    sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@GSSAPI_LIBS@|$(GSSAPI_LIBS)|' lib/$$pc.pc.in \
	        >$(DESTDIR)$(PREFIX)/lib/pkgconfig/$$pc.pc || exit 1; done

.PHONY: clean
clean:   ## remove build/
	rm -rf $(O)

# A target whose program or script is not there yet is not listed.
HELP_demo        := build docs/examples/demo.c and run it against a throwaway server
HELP_fuzz        := libFuzzer: T=name (default: each in turn), S=seconds for each (60)
HELP_fuzz-types  := each decoder of a type alone, 10^6 executions or until no edge is new; T=name
HELP_sim         := the simulation over SEEDS=n (10000) seeds
HELP_pipelines   := N=n (1000000) requests through one connection, bad ones among them: answers by value, allocations counted
HELP_fault-alloc := every allocation fails in turn, over whole scenarios
HELP_fault-sys   := every system call fails in turn, over whole scenarios
PART_TARGETS     := $(if $(wildcard docs/examples/demo.c),demo) $(if $(FUZZ_SRC),fuzz fuzz-types) \
                    $(if $(SIM_SRC),sim) pipelines $(if $(FAULT_ALLOC),fault-alloc) $(if $(FAULT_SYS),fault-sys)
HAVE_SCRIPT      := $(foreach t,$(SCRIPT_TARGETS),$(if $(wildcard $(SCRIPT_$(t))),$(t)))
.PHONY: help
help:   ## this list
	@{ sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile; \
	$(foreach t,$(PART_TARGETS),printf '$(t)\t%s\n' '$(HELP_$(t))';) \
	$(foreach t,$(HAVE_SCRIPT),printf '$(t)\t'; sed -n '2s/^# *//p' $(SCRIPT_$(t));) } | \
	awk -F '\t' '{ printf "  %-12s %s\n", $$1, $$2 }'
