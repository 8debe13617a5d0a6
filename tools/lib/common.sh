# Shared by the scripts in tools/. Source it from the repository's top folder.

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

# Installs the Debian packages named, unless they are there. A command of the same name counts as there, too.
install_missing() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
        command -v "$package" >/dev/null 2>&1 && continue
        missing+=("$package")
    done
    [[ ${#missing[@]} -eq 0 ]] && return 0
    [[ $(id -u) -eq 0 ]] || die "these packages are missing: ${missing[*]}. Install them: sudo apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2
}

milliseconds() { date +%s%3N; }
