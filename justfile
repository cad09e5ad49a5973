# The developer's manual: every recipe says why it exists.

# Lists the recipes.
default:
    @just --list

# What must be green before a commit.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# All tests; build the real channel first to run those that need real packages.
test:
    cargo test --workspace

# Real CPythons and wheels as a conda channel in target/real-channel; several minutes the first time.
real-channel:
    fixtures/real-channel/build.py target/real-channel

# Makes the committed channel anew from its source (needs the packages of fixtures/requirements.txt).
fixtures:
    python3 fixtures/make-channel.py

# Accepts changed snapshots; review the diff before you commit it.
bless:
    INSTA_UPDATE=always cargo test --workspace

# The small binary: no conda environments, for RUN steps in Dockerfiles.
small:
    cargo build --release -p parcelctl --no-default-features

# The binary people download.
dist:
    cargo build --profile dist -p parcelctl
