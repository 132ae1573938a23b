"""What binds a person now, and what is pending: derived from versions, notices and answers, never kept."""
