# Writes to the file $HITS what zsh would insert at the end of each line of the file $QUERIES, below that line and a "? ".
#
# For an interactive zsh: the completion system works on a terminal only. The function of the tool stands in the working
# directory. Once this is read, the key ^T asks all queries, and ends the shell.

fpath=("$PWD" $fpath)
autoload -Uz compinit && compinit -D -u

# Every match goes through this builtin. With -O, -A or -D it only looks which words match.
compadd() {
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
        local -a hits
        builtin compadd -A hits "$@"
        print -rl -- $hits >>$HITS
    fi
    builtin compadd "$@"
}

complete_it() { _main_complete }
zle -C complete-it complete-word complete_it

ask_all() {
    local query
    for query in "${(@f)$(<$QUERIES)}"; do
        print -r -- "? $query" >>$HITS
        BUFFER=$query CURSOR=$#query
        zle complete-it
    done
    exit
}
zle -N ask-all ask_all
bindkey '^T' ask-all
