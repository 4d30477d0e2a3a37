"""Pictures of fits: arrays and names in, matplotlib axes out.

Nothing here needs colour: lines differ by dash and carry their names, so that a picture
survives a grey printer. matplotlib is imported when something is drawn.
"""
