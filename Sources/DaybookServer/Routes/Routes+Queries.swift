internal import Hummingbird

extension Routes {
    func addQueries(to router: Router<BasicRequestContext>) {}
}
