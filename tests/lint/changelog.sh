#!/usr/bin/env bash
# antsibull-changelog: fragments and releases are well-formed, and CHANGELOG.md is what they make.
set -euo pipefail
cd "$(dirname "$0")/../.."
antsibull-changelog lint
antsibull-changelog lint-changelog-yaml --strict changelogs/changelog.yaml
mkdir -p build
antsibull-changelog generate --output build/CHANGELOG.md
diff -u CHANGELOG.md build/CHANGELOG.md
