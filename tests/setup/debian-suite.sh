# shellcheck shell=bash
# Sourced after platform.sh: packages of another Debian suite, unpacked into a private folder. Nothing is
# installed: a private root has its own C library, so a newer compiler or driver runs beside the system's.
#
# Scripts that unpack call lock_tools first.
#
#   GAZE_DEBIAN_MIRROR  the Debian mirror to take them from (default on Debian: the one apt uses)

debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# debian_mirror: its address, or nothing where there is none, or no apt-get to fetch with.
debian_mirror() {
  local codename
  command -v apt-get >/dev/null || return 0
  [[ -z ${GAZE_DEBIAN_MIRROR:-} ]] || { echo "$GAZE_DEBIAN_MIRROR"; return; }
  [[ $(platform) == debian ]] || return 0
  # shellcheck disable=SC1090
  codename=$(. "${GAZE_OS_RELEASE:-/etc/os-release}" && echo "${VERSION_CODENAME:-sid}")
  # shellcheck disable=SC2016 # apt expands these
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Component: main' 2>/dev/null |
    awk -v name="$codename" '$1 ~ "^(" name "|stable|testing|unstable|sid)$" && $2 ~ "/debian/?$" {print $2; exit}'
}

# lock_tools: one set-up at a time changes $GAZE_TOOLS, until this script ends.
lock_tools() {
  exec 9>"$GAZE_TOOLS/.lock"
  flock -n 9 || { say "waiting for another set-up in $GAZE_TOOLS"; flock 9; }
}

# open_suite SUITE: read its package lists; afterwards "${apt[@]}" is an apt-get that knows this suite only,
# and $work a folder on the same file system as $GAZE_TOOLS that goes away when the script ends.
open_suite() {
  local mirror
  mirror=$(debian_mirror)
  [[ -n $mirror ]] || { say "no Debian mirror to fetch from, or no apt-get (GAZE_DEBIAN_MIRROR names a mirror)"; return 1; }
  [[ -e $debian_keyring ]] || { say "$debian_keyring is missing: apt-get install debian-archive-keyring"; return 1; }
  rm -rf "$GAZE_TOOLS"/.unpack.* # of a run that was killed; the lock is ours
  work=$(mktemp -d "$GAZE_TOOLS/.unpack.XXXXXX") || return
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
  touch "$work/status"
  echo "deb [signed-by=$debian_keyring] $mirror $1 main" >"$work/sources.list"
  apt=(apt-get -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status"
    -o Dir::Cache::archives="$work/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=3
    -o APT::Install-Recommends=false -o APT::Sandbox::User=root -o Debug::NoLocking=1)
  logged "${apt[@]}" -o APT::Update::Error-Mode=any update
}

# is_unpacked NAME REQUEST: whether $GAZE_TOOLS/NAME came from exactly this request.
is_unpacked() { [[ -e $GAZE_TOOLS/$1/versions && $(head -n 1 "$GAZE_TOOLS/$1/versions") == "# $2" ]]; }

# finish NAME REQUEST: write which versions lie in $work/root and put it at $GAZE_TOOLS/NAME, whole or not at all.
finish() {
  local deb
  { echo "# $2"; for deb in "$work"/archives/*.deb; do dpkg-deb --show "$deb"; done; } >"$work/root/versions"
  chmod 755 "$work/root"
  rm -rf "${GAZE_TOOLS:?}/$1" && mv "$work/root" "$GAZE_TOOLS/$1" || return
  say "$1: $(du -sm "$GAZE_TOOLS/$1" | cut -f1) MB in $GAZE_TOOLS/$1"
}

# unpack_suite SUITE NAME PACKAGE...: these and all they depend on become the root $GAZE_TOOLS/NAME.
unpack_suite() {
  local suite=$1 name=$2 request="$*" deb manifest
  is_unpacked "$name" "$request" && return
  shift 2
  open_suite "$suite" || return
  say "$name: fetching $* of Debian $suite ($(download_size install "$@"))"
  logged "${apt[@]}" install --yes --download-only "$@" || return
  for deb in "$work"/archives/*.deb; do logged dpkg-deb -x "$deb" "$work/root" || return; done
  # Vulkan manifests may name their library by the system's path; by its bare name the root's loader finds its own.
  for manifest in "$work"/root/usr/share/vulkan/*/*.json; do
    [[ ! -e $manifest ]] || sed -i -E 's#("library_path": *")[^"]*/#\1#' "$manifest"
  done
  finish "$name" "$request"
}

# root_loader, root_libraries NAME: the root's dynamic loader, and the folder to hand it as --library-path.
root_loader() { ls "$GAZE_TOOLS/$1"/usr/lib/*-linux-gnu/ld-linux*.so.?; }
root_libraries() { dirname "$(root_loader "$1")"; }
