"""Whether what is claimed says anything: mutants, roles, cuts, interesting cases."""
