# bash completion for fit: its commands, and behind one of them what that command completes
_fit() {
    local cur=${COMP_WORDS[COMP_CWORD]} folder command FIT_COMPLETE_FROM=2
    folder=$(fit --exec-path 2>/dev/null) || return
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "help --exec-path --help --version $(ls "$folder")" -- "$cur")
        return
    fi
    command=${COMP_WORDS[1]}
    if [[ $command == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "fittings fit-function fit-state $(ls "$folder")" -- "$cur")
    elif [[ $command != -* && $command != */* && -x $folder/$command ]]; then
        declare -F "_fit_${command//-/_}" >/dev/null ||
            source <("$folder/$command" --dump-options=bash)
        "_fit_${command//-/_}"
    fi
}
complete -F _fit fit
