def run(options):
    raise RuntimeError
