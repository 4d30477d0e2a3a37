"""tmp"""
def draw(latest, path): pass
