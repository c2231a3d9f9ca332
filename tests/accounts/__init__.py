"""People, their sessions and their organization; `routes` lists what there is to ask for."""
