"""Run the whole pipeline on one machine: every part a child process, started, watched and stopped in order."""
